import Telemetry

/// From pieces to blocks: what is decoded, joined and left out.
extension Scan {
    /// The block of one chunk of floats, or of a memtable's, which overlaps no other: times shared, values decoded once. nil for everything else, and
    /// where it is damaged (which is reported then).
    func block(_ stream: Int, _ item: ScanItem) throws(StoreError) -> Block? {
        if item.isOfChunks, let (times, number, values) = floats(item)?.columns(of: stream) {
            return Block(
                stream: request.streams[stream], timestamps: times, columns: request.columns.isEmpty ? .timestampsOnly : .floats(values),
                timesID: number == 0 ? 0 : UInt64(item.source + 1) << 32 | UInt64(number))
        }
        guard item.kind == .floats, !item.isInMemory, let page = try page(item.source, Int(item.page)) else { return nil }
        let reader = parts[item.source].reader
        let chunk = page.chunks[Int(item.position)]
        do throws(PartFailure) {
            let times = try reader.times(chunk, of: page)
            if times.rows.isEmpty { return nil }
            // Every block of this scan with these times has been clipped alike.
            let timesID = UInt64(item.source + 1) << 32 | UInt64(chunk.times)
            if request.columns.isEmpty {
                return Block(stream: request.streams[stream], timestamps: times.times, columns: .timestampsOnly, timesID: timesID)
            }
            var values = try reader.floats(chunk, of: page)
            if times.rows.count < values.count { values = Array(values[times.rows]) }
            return Block(stream: request.streams[stream], timestamps: times.times, columns: .floats(values), timesID: timesID)
        } catch {
            try report(error, of: reader.part)
            return nil
        }
    }

    /// The rows of pieces that overlap each other, where they lie in the range and satisfy the predicates, as blocks in the order
    /// of time.
    func blocks(_ stream: Int, _ items: [ScanItem]) throws -> [Block] {
        try Task.checkCancellation()
        let stream = request.streams[stream]
        if items.count == 1, request.columns.isEmpty, request.fields.isEmpty, predicates.isEmpty {
            let timestamps = try timestamps(items[0])
            return timestamps.isEmpty ? [] : [Block(stream: stream, timestamps: timestamps, columns: .timestampsOnly)]
        }
        var blocks: [Block] = []
        for run in try rows(items) {
            var start = 0
            while start < run.count {
                let end = min(start + Limits.scanRowCountMax, run.count)
                let slice = run.slice(start..<end)
                blocks.append(
                    Block(
                        stream: stream, timestamps: slice.timestamps,
                        columns: request.columns.isEmpty && request.fields.isEmpty ? .timestampsOnly : slice.payload, applied: predicates.applied))
                start = end
            }
        }
        return blocks
    }

    /// The rows of pieces that overlap each other, as runs in the order of time.
    func rows(_ items: [ScanItem]) throws(StoreError) -> [Run] {
        if request.signal == .spans { return try spans(items).map { $0.isEmpty ? [] : [$0] } ?? [] }
        // Rows of several pieces are compared whole, or two rows that differ in a column not asked for would become one.
        let columns = items.count == 1 ? request.columns.union(predicates.columns) : .all
        var pieces: [(source: Int, run: Run)] = []
        for item in items {
            if let run = try run(item, columns, fields: items.count == 1 ? request.fields : []) { pieces.append((item.source, run)) }
        }
        var runs: [Run] = []
        for run in Run.joined(pieces) {
            let kept = kept(run)
            if !kept.isEmpty { runs.append(kept) }
        }
        return runs
    }

    /// The rows that the reader is to see. All rows pass here but those of chunks that ``block(_:_:)`` hands over as they are.
    private func kept(_ run: Run) -> Run {
        predicates.filter(run.clipped(to: request.range))
    }

    private func timestamps(_ item: ScanItem) throws(StoreError) -> [Int64] {
        if item.isInMemory { return memoryRun(item).timestamps }
        return try read(item) { reader, chunk, page throws(PartFailure) in try reader.times(chunk, of: page).times } ?? []
    }

    /// A piece's rows; nil where they are damaged, which is reported, or where a filter says that none is wanted.
    private func run(_ item: ScanItem, _ columns: ScanRequest.Columns, fields: [String]) throws(StoreError) -> Run? {
        if item.isInMemory { return memoryRun(item) }
        let found: Run?? = try read(item) { reader, chunk, page throws(PartFailure) in
            // Rows equal to these fail the predicates as well, so joining pieces loses nothing.
            guard try reader.mayHold(chunk, of: page, predicates) else { return nil }
            if chunk.kind == .logs { return try reader.logs(chunk, of: page, columns: columns, fields: fields) }
            return try reader.run(chunk, of: page, columns: columns)
        }
        return found ?? nil
    }

    func read<Value>(
        _ item: ScanItem, _ body: (PartReader, ValuePage.Chunk, ValuePage) throws(PartFailure) -> Value
    ) throws(StoreError) -> Value? {
        guard let page = try page(item.source, Int(item.page)) else { return nil }
        let reader = parts[item.source].reader
        do throws(PartFailure) {
            return try body(reader, page.chunks[Int(item.position)], page)
        } catch {
            try report(error, of: reader.part)
            return nil
        }
    }
}

extension Run {
    fileprivate var payload: Block.Payload {
        switch rows {
        case .floats(let values): .floats(values)
        case .histograms(let values): .histograms(values)
        case .exemplars: .timestampsOnly
        case .logs(let columns): .logs(columns)
        case .spans(let values): .spans(values)
        case .profiles(let values): .profiles(values)
        }
    }
}
