import Codecs
import Telemetry

/// Scans of logs that show fields before lines. Pieces are read one by one, whether or not their times overlap.
extension Scan {
    /// All blocks, in the order asked for.
    func runLogs(_ reader: inout some LogScanReader) throws {
        defer { noteStatistics() }
        switch request.order {
        case .byStream:
            for stream in request.streams.indices {
                try Task.checkCancellation()
                runs.removeAll(keepingCapacity: true)
                sealed.removeAll(keepingCapacity: true)
                if try handLogs(try logPieces(of: stream), stream, horizon: .max, &reader) == .stop { return }
            }
        case .newestFirst, .oldestFirst:
            var order = try TimeOrder(self)
            while let (stream, items) = try order.next() {
                try Task.checkCancellation()
                let pieces = items.map { logPiece($0) }
                if try handLogs(pieces, stream, horizon: order.horizon, &reader) == .stop { return }
            }
        }
    }

    private func logPieces(of stream: Int) throws -> [LogPiece] {
        var items: [ScanItem] = []
        for part in parts.indices {
            guard let id = parts[part].ids[stream] else { continue }
            for page in parts[part].reader.index.pages(of: id) { try addChunks(of: id, part, page, to: &items) }
        }
        addRuns(stream, to: &items)
        return items.map { logPiece($0) }
    }

    func logPiece(_ item: ScanItem) -> LogPiece {
        let range = TimeRange(item.minTime, item.maxTime)
        if !item.isInMemory {
            return LogPiece(rows: .chunk(part: item.source, page: Int(item.page), position: Int(item.position)), source: item.source, range: range)
        }
        if let block = sealed[Int(item.position)] { return LogPiece(rows: .block(block), source: item.source, range: range) }
        return LogPiece(rows: .run(runs[Int(item.position)]), source: item.source, range: range)
    }

    /// Hands over pieces of a stream that may overlap each other.
    private func handLogs(
        _ pieces: [LogPiece], _ stream: Int, horizon: Int64, _ reader: inout some LogScanReader
    ) throws -> ScanControl {
        let isNewestFirst = request.order == .newestFirst
        let pieces = isNewestFirst ? pieces.sorted { $0.range.end > $1.range.end } : pieces.sorted { $0.range.start < $1.range.start }
        var cluster: LogCluster? = pieces.count > 1 ? LogCluster(pieces) : nil
        for index in pieces.indices {
            let piece = pieces[index]
            let range = (request.bound?.clip(request.range) ?? request.range).intersection(piece.range)
            if range.isEmpty { continue }
            var later = horizon
            if request.order != .byStream {
                for other in pieces[(index + 1)...] { later = isNewestFirst ? max(later, other.range.end) : min(later, other.range.start) }
            }
            if try hand(piece, index, of: &cluster, stream, range, horizon: later, &reader) == .stop { return .stop }
        }
        return .continue
    }

    /// - Parameter cluster: the piece and those that its times may overlap; nil where it is alone.
    private func hand(
        _ piece: LogPiece, _ index: Int, of cluster: inout LogCluster?, _ stream: Int, _ range: TimeRange, horizon: Int64,
        _ reader: inout some LogScanReader
    ) throws -> ScanControl {
        let stream = request.streams[stream]
        if case .run(let run) = piece.rows {
            var kept = run
            let duplicates = try cluster?.duplicates(index, read: times, select: select) ?? []
            if !duplicates.isEmpty {
                let left = Set(duplicates)
                kept = run.selecting(run.timestamps.indices.filter { !left.contains($0) })
            }
            kept = predicates.filter(kept.clipped(to: range))
            guard !kept.isEmpty, case .logs(let columns) = kept.rows else { return .continue }
            let columnsWanted: Block.Payload = request.columns.isEmpty && request.fields.isEmpty ? .timestampsOnly : .logs(columns)
            return try reader.take(
                Block(stream: stream, timestamps: kept.timestamps, columns: columnsWanted, horizon: horizon, applied: predicates.applied))
        }
        let known = cluster?.knownTimes(of: index)
        let found: LogBlockScan? = try opened(piece) { block throws(DecodeError) in
            if !request.fieldTexts.isEmpty, !(try block.mayHold(request.fieldTexts, in: stream.labels)) { return nil }
            var scan = LogBlockScan(block, piece.range, times: known)
            try scan.narrow(range, predicates)
            return scan.isEmpty ? nil : scan
        }
        guard var scan = found else { return .continue }
        if cluster != nil {
            // Only of what is wanted so far other pieces may have equal rows.
            cluster?.know(scan.timestamps, of: index)
            scan.leaveOut(rows: try cluster?.duplicates(index, read: times, select: select) ?? [])
            if scan.isEmpty { return .continue }
        }
        if !request.fields.isEmpty {
            let names = request.fields
            let isRead: Bool? = try opened(piece) { _ throws(DecodeError) in
                try scan.readFields(names)
                return true
            }
            if isRead == nil { return .continue }
        }
        if let fields = scan.fields {
            var shown = LogFieldBlock(
                stream: stream, timestamps: scan.timestamps, isWanted: scan.isWanted, fields: fields, hasMetadata: scan.block.outline.hasMetadata,
                hasIdentifiers: scan.block.outline.hasIdentifiers, applied: predicates.applied)
            try reader.read(&shown)
            scan.isWanted = shown.isWanted
        }
        var columns = request.columns
        if predicates.applied == request.allPredicates {
            if request.omitsCheckedLines { columns.remove(.line) }
            if let count = request.rowCountMax { scan.keep(count, isNewestFirst: request.order == .newestFirst) }
        }
        let rest: (timestamps: [Int64], payload: Block.Payload)? = try opened(piece) { _ throws(DecodeError) in try scan.rest(columns) }
        guard let rest, !rest.timestamps.isEmpty else { return .continue }
        return try reader.take(
            Block(stream: stream, timestamps: rest.timestamps, columns: rest.payload, horizon: horizon, applied: predicates.applied))
    }

    // MARK: Pieces

    /// Runs `body` on a piece's block; nil where it is damaged, which is reported.
    private func opened<Value>(_ piece: LogPiece, _ body: (LogBlockReader) throws(DecodeError) -> Value?) throws(StoreError) -> Value? {
        switch piece.rows {
        case .run: return nil
        case .block(let block):
            do throws(DecodeError) { return try body(block.reader) } catch {
                throw StoreError(.corrupted, "rows in memory cannot be read: \(error)")
            }
        case .chunk(let part, let number, let position):
            guard let page = try page(part, number) else { return nil }
            let reader = parts[part].reader
            let chunk = page.chunks[position]
            do throws(PartFailure) {
                let block = try reader.logBlock(chunk, of: page, at: (number, position))
                do throws(DecodeError) { return try body(block) } catch { throw reader.damaged(chunk, of: page, error) }
            } catch {
                try report(error, of: reader.part)
                return nil
            }
        }
    }

    private func times(_ piece: LogPiece) throws -> [Int64] {
        if case .run(let run) = piece.rows { return run.timestamps }
        return try opened(piece) { block throws(DecodeError) in try block.readTimes(first: piece.range.start, last: piece.range.end) } ?? []
    }

    private func select(_ piece: LogPiece, _ rows: [Int]) throws -> Run {
        if case .run(let run) = piece.rows { return run.selecting(rows) }
        let found: Run? = try opened(piece) { block throws(DecodeError) in
            let timestamps = try block.readTimes(first: piece.range.start, last: piece.range.end)
            var columns = LogColumns()
            try block.read(.all, of: rows, timestamps, into: &columns)
            return Run(timestamps: rows.map { timestamps[$0] }, rows: .logs(columns))
        }
        return found ?? Run(timestamps: [], rows: .logs(LogColumns()))
    }
}

extension ScanRequest {
    /// A bit for each predicate.
    fileprivate var allPredicates: UInt64 { predicates.count >= 64 ? .max : 1 << UInt64(predicates.count) - 1 }
}
