import Telemetry

/// Merges parts of one day, given in the order in which they were written, stream by stream. Holds one page of each part, and the
/// rows of a few overlapping chunks.
struct PartMerger {
    private let readers: [PartReader]
    /// What deletions leave out of each.
    private let deletions: [PartDeletions?]
    private let isSealing: Bool
    private var cursors: [Cursor]
    /// What deletions leave of chunks of the stream at hand.
    private var rests: [Run] = []
    /// The chunks of the stream at hand.
    private var items: [ScanItem] = []
    /// The writer's numbers of times that were joined before: series of one target have the same pieces.
    private var joinedTimes = FingerprintTable()
    // Filled again for each chunk.
    private var pieces: [Int64] = []
    private var times: [Int64] = []
    private var values: [Double] = []

    /// Where a reader stands.
    private struct Cursor {
        var page = 0
        var position = 0
        /// Of the chunk that it stands at; nil at the end.
        var stream: UInt64?
    }

    /// What each reader keeps: a page, and perhaps the one after it.
    private static let cacheByteCountMax = 256 << 10
    /// Streams between two checkpoints.
    private static let checkpointStreamCount = 1024

    /// - Parameter isSealing: encode all that is compressed again, at ``BlockCodec/level``, rather than copy what is full.
    init(_ parts: [Part], _ deletions: [PartDeletions?], isSealing: Bool = false) throws(StoreError) {
        self.deletions = deletions
        var readers: [PartReader] = []
        for part in parts {
            do throws(PartFailure) { readers.append(try part.reader(cacheByteCountMax: Self.cacheByteCountMax, readsWhole: true)) } catch { throw Self.report(error, of: part) }
        }
        self.readers = readers
        self.isSealing = isSealing
        cursors = readers.map { _ in Cursor() }
    }

    /// Writes everything.
    ///
    /// - Parameter checkpoint: called now and then; throws to give the merge up.
    mutating func write(
        to writer: inout PartWriter, checkpoint: () throws(StoreError) -> Void = { () throws(StoreError) in }
    ) throws(StoreError) {
        for reader in readers.indices { try settle(reader) }
        var streamCount = 0
        while let stream = lowestStream {
            items.removeAll(keepingCapacity: true)
            rests.removeAll(keepingCapacity: true)
            for reader in readers.indices {
                while cursors[reader].stream == stream {
                    let chunk = try chunk(reader, cursors[reader].page, cursors[reader].position)
                    let item = ScanItem(chunk, source: reader, page: cursors[reader].page, position: cursors[reader].position)
                    if let deleted = deletions[reader]?.ranges(of: stream), !deleted.isEmpty {
                        try addRest(of: item, deleted)
                    } else {
                        items.append(item)
                    }
                    cursors[reader].position += 1
                    try settle(reader)
                }
            }
            try writeStream(stream, to: &writer, checkpoint)
            streamCount += 1
            if streamCount % Self.checkpointStreamCount == 0 { try checkpoint() }
        }
    }

    /// Adds what deletions leave of a chunk.
    private mutating func addRest(of item: ScanItem, _ deleted: [TimeRange]) throws(StoreError) {
        switch deleted.remainder(of: TimeRange(item.minTime, item.maxTime)) {
        case .all: items.append(item)
        case .none: return
        case .some:
            let rest = try run(item, columns: .all).without(deleted)
            guard let first = rest.timestamps.first, let last = rest.timestamps.last else { return }
            items.append(ScanItem(run: rests.count, item.kind, TimeRange(first, last), source: item.source))
            rests.append(rest)
        }
    }

    private var lowestStream: UInt64? {
        var lowest: UInt64?
        for cursor in cursors {
            if let stream = cursor.stream, stream < lowest ?? .max || lowest == nil { lowest = stream }
        }
        return lowest
    }

    /// Moves a cursor that stands behind the last chunk of a page to the next page.
    private mutating func settle(_ reader: Int) throws(StoreError) {
        while cursors[reader].page < readers[reader].index.values.count {
            let page = try page(reader, cursors[reader].page)
            if cursors[reader].position < page.chunks.count {
                cursors[reader].stream = page.chunks[cursors[reader].position].stream
                return
            }
            cursors[reader].page += 1
            cursors[reader].position = 0
        }
        cursors[reader].stream = nil
    }

    // MARK: One stream

    private mutating func writeStream(
        _ stream: UInt64, to writer: inout PartWriter, _ checkpoint: () throws(StoreError) -> Void
    ) throws(StoreError) {
        if areFloatsInOrder {
            try writeFloats(stream, to: &writer)
            return
        }
        // Exemplars lie beside the values and are no values.
        try write(items.filter { $0.kind != .exemplars }, stream, to: &writer, checkpoint)
        try write(items.filter { $0.kind == .exemplars }, stream, to: &writer, checkpoint)
    }

    /// Whether there are only floats, and each chunk begins after the end of the one before.
    private var areFloatsInOrder: Bool {
        for index in items.indices {
            if items[index].kind != .floats || items[index].isInMemory || (index > 0 && items[index].minTime <= items[index - 1].maxTime) { return false }
        }
        return true
    }

    /// Nearly all there is to do for metrics: chunks are put behind one another.
    private mutating func writeFloats(_ stream: UInt64, to writer: inout PartWriter) throws(StoreError) {
        var start = 0
        while start < items.count {
            var (end, rowCount) = (start, 0)
            while end < items.count {
                let chunk = try chunk(items[end])
                if end > start, isFull(chunk) || rowCount + Int(chunk.rowCount) > Limits.floatRowCountMax { break }
                rowCount += Int(chunk.rowCount)
                end += 1
                if isFull(chunk) { break }
            }
            let number = try number(ofTimes: items[start..<end], in: &writer)
            if end - start == 1 {
                try copy(items[start], timesNumber: number, to: &writer)
            } else {
                values.removeAll(keepingCapacity: true)
                for item in items[start..<end] {
                    values += try read(item.source) { reader throws(PartFailure) in
                        let page = try reader.page(Int(item.page))
                        return try reader.floats(page.chunks[Int(item.position)], of: page)
                    }
                }
                try writer.appendFloats(
                    timesNumber: number, first: items[start].minTime, last: items[end - 1].maxTime, values: values.span, stream: stream)
            }
            start = end
        }
    }

    /// The writer's number of the times of some chunks, one behind the other.
    private mutating func number(ofTimes items: ArraySlice<ScanItem>, in writer: inout PartWriter) throws(StoreError) -> UInt32 {
        pieces.removeAll(keepingCapacity: true)
        for item in items { pieces.append(Int64(item.source) << 32 | Int64(try chunk(item).times)) }
        let fingerprint = joinedTimes.fingerprint(pieces.span)
        if let number = joinedTimes[fingerprint] { return number }
        times.removeAll(keepingCapacity: true)
        for item in items {
            let number = try chunk(item).times
            times += try read(item.source) { reader throws(PartFailure) in try reader.allTimes(number) }
        }
        let number = writer.number(of: times.span)
        joinedTimes[fingerprint] = number
        return number
    }

    /// Merges chunks that may overlap, of any kind but exemplars, or of exemplars alone.
    private mutating func write(
        _ items: [ScanItem], _ stream: UInt64, to writer: inout PartWriter, _ checkpoint: () throws(StoreError) -> Void
    ) throws(StoreError) {
        // Rows that wait until they fill a chunk, of one kind.
        var waiting: Run?
        for cluster in ScanCluster.clusters(items, stream: 0) {
            // A stream of logs may be as large as the part.
            try checkpoint()
            if waiting == nil, cluster.items.count == 1, !isSealing, !cluster.items[0].isInMemory, isFull(try chunk(cluster.items[0])),
                readers[cluster.items[0].source].part.isOfNewestVersion
            {
                let item = cluster.items[0]
                let number = item.kind.sharesTimes ? try number(ofTimes: cluster.items[0..<1], in: &writer) : ValuePage.ownTimes
                try copy(item, timesNumber: number, to: &writer)
                continue
            }
            var pieces: [(source: Int, run: Run)] = []
            for item in cluster.items { pieces.append((item.source, try run(item, columns: .all))) }
            for run in Run.joined(pieces) {
                if let rows = waiting, rows.kind != run.kind || isFull(rows) {
                    try writer.append(rows, stream: stream)
                    waiting = nil
                }
                if waiting == nil { waiting = run } else { waiting?.append(run) }
            }
        }
        if let waiting { try writer.append(waiting, stream: stream) }
    }

    private func copy(_ item: ScanItem, timesNumber: UInt32, to writer: inout PartWriter) throws(StoreError) {
        let hasTraces = item.kind == .logs || item.kind == .spans
        let traceIDs = hasTraces ? try run(item, columns: .identifiers) : nil
        let page = try page(item.source, Int(item.page))
        try writer.append(page.chunks[Int(item.position)], of: page, timesNumber: timesNumber, traceIDs: traceIDs)
    }

    /// Whether rows fill at least half a chunk, so that rewriting them would gain little.
    private func isFull(_ chunk: ValuePage.Chunk) -> Bool {
        if chunk.kind == .logs { return LogBlock.isFull(rowCount: Int(chunk.rowCount), byteCount: Int(chunk.byteCount)) }
        let rowCountMax =
            switch chunk.kind {
            case .floats: Limits.floatRowCountMax
            case .spans: Limits.spanRowCountMax
            default: Limits.rowCountMax
            }
        return Int(chunk.rowCount) * 2 >= rowCountMax || Int(chunk.byteCount) * 4 >= Limits.blockByteCountMax
    }

    private func isFull(_ run: Run) -> Bool {
        switch run.rows {
        case .floats: run.count >= Limits.floatRowCountMax
        case .logs(let columns): run.count >= LogBlock.rowCountMax || columns.bytes.count >= LogBlock.byteCountMax
        case .spans: run.count >= Limits.spanRowCountMax
        default: run.count >= Limits.rowCountMax
        }
    }

    // MARK: Reading

    private func chunk(_ item: ScanItem) throws(StoreError) -> ValuePage.Chunk {
        try chunk(item.source, Int(item.page), Int(item.position))
    }

    private func chunk(_ reader: Int, _ number: Int, _ position: Int) throws(StoreError) -> ValuePage.Chunk {
        try page(reader, number).chunks[position]
    }

    private func page(_ reader: Int, _ number: Int) throws(StoreError) -> ValuePage {
        try read(reader) { reader throws(PartFailure) in
            let page = try reader.page(number)
            if let failure = page.failures.first { throw failure }
            return page
        }
    }

    /// The rows of a chunk.
    private func run(_ item: ScanItem, columns: ScanRequest.Columns) throws(StoreError) -> Run {
        if item.isInMemory { return rests[Int(item.position)] }
        return try read(item.source) { reader throws(PartFailure) in
            let page = try reader.page(Int(item.page))
            return try reader.run(page.chunks[Int(item.position)], of: page, columns: columns)
        }
    }

    @inline(__always)
    private func read<Value>(_ reader: Int, _ body: (PartReader) throws(PartFailure) -> Value) throws(StoreError) -> Value {
        do throws(PartFailure) { return try body(readers[reader]) } catch { throw Self.report(error, of: readers[reader].part) }
    }

    /// A damaged part stays as it is: what can be read of it is still served.
    private static func report(_ failure: PartFailure, of part: Part) -> StoreError {
        if failure.isDamage { part.quarantine(failure) }
        return failure.error
    }
}
