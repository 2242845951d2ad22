import Telemetry

/// Merges parts of one day, given in the order in which they were written, stream by stream. Holds no more than the rows of a
/// few overlapping blocks.
struct PartMerger {
    private let readers: [PartReader]

    init(_ parts: [Part]) throws(StoreError) {
        var readers: [PartReader] = []
        for part in parts { readers.append(try part.reader()) }
        self.readers = readers
    }

    func write(to writer: inout PartWriter) throws(StoreError) {
        // Where each reader stands in its list of streams.
        var positions = readers.map { _ in 0 }
        while true {
            var lowest: UInt64?
            for (reader, position) in positions.enumerated() where position < readers[reader].directory.streamIDs.count {
                let id = readers[reader].directory.streamIDs[position]
                lowest = min(lowest ?? id, id)
            }
            guard let stream = lowest else { return }
            var items: [ScanItem] = []
            for reader in positions.indices {
                let directory = readers[reader].directory
                guard positions[reader] < directory.streamIDs.count, directory.streamIDs[positions[reader]] == stream else { continue }
                for index in directory.blocks(at: positions[reader]) {
                    let block = directory.blocks[index]
                    items.append(
                        ScanItem(
                            source: reader, kind: block.kind, minTime: block.minTime, maxTime: block.maxTime,
                            origin: .block(reader: reader, index: index)))
                }
                positions[reader] += 1
            }
            // Exemplars lie beside the values and are no values.
            try write(items.filter { $0.kind != .exemplars }, stream, to: &writer)
            try write(items.filter { $0.kind == .exemplars }, stream, to: &writer)
        }
    }

    /// Merges one stream's blocks.
    private func write(_ items: [ScanItem], _ stream: UInt64, to writer: inout PartWriter) throws(StoreError) {
        // Rows that wait until they fill a block, of one kind.
        var waiting: Run?
        for cluster in ScanCluster.clusters(items, stream: 0) {
            if waiting == nil, cluster.items.count == 1, case .block(let reader, let index) = cluster.items[0].origin,
                isFull(readers[reader].directory.blocks[index])
            {
                let block = readers[reader].directory.blocks[index]
                let hasTraces = block.kind == .logs || block.kind == .spans
                let traceIDs = hasTraces ? try readers[reader].run(index, columns: .identifiers) : nil
                try writer.append(block, bytes: try readers[reader].bytes(index), stream: stream, traceIDs: traceIDs)
                continue
            }
            var pieces: [(source: Int, run: Run)] = []
            for item in cluster.items {
                guard case .block(let reader, let index) = item.origin else { continue }
                pieces.append((item.source, try readers[reader].run(index, columns: .all)))
            }
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

    /// Whether rows fill at least half a block, so that rewriting them would gain little.
    private func isFull(_ block: PartDirectory.Block) -> Bool {
        if block.kind == .logs { return LogBlock.isFull(rowCount: Int(block.rowCount), byteCount: Int(block.byteCount)) }
        let rowCountMax =
            switch block.kind {
            case .floats: Limits.floatRowCountMax
            case .spans: Limits.spanRowCountMax
            default: Limits.rowCountMax
            }
        return Int(block.rowCount) * 2 >= rowCountMax || Int(block.byteCount) * 4 >= Limits.blockByteCountMax
    }

    private func isFull(_ run: Run) -> Bool {
        switch run.rows {
        case .floats: run.count >= Limits.floatRowCountMax
        case .logs(let columns): run.count >= LogBlock.rowCountMax || columns.bytes.count >= LogBlock.byteCountMax
        case .spans: run.count >= Limits.spanRowCountMax
        default: run.count >= Limits.rowCountMax
        }
    }
}
