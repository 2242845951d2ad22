import Telemetry

/// One reading of one state of a signal.
struct Scan {
    let request: ScanRequest
    let predicates: ScanPredicates
    private let kinds: Set<RowKind>
    private(set) var readers: [PartReader] = []
    /// By reader: the day's id of each stream of the request.
    private var readerIDs: [[UInt64?]] = []
    /// By reader: the blocks that may hold the trace asked for; nil where all may.
    private var readerBlocks: [Set<Int>?] = []
    /// Each memtable's rows of each stream of the request, oldest memtable first.
    private var memory: [MemtableRows] = []

    /// Takes the state as it is now.
    ///
    /// - Parameter kinds: the kinds of rows wanted (exemplars lie beside a metric's values).
    init(_ request: ScanRequest, kinds: Set<RowKind>, store: SignalStore) throws(StoreError) {
        self.request = request
        self.kinds = kinds
        predicates = ScanPredicates(request)
        let snapshot = store.snapshot(request.range)
        let slots = store.registry.slots(of: request.streams)
        memory = snapshot.memtables.map { $0.rows(slots, in: request.range) }
        for (_, index, parts) in snapshot.days {
            let wanted = parts.filter { $0.footer.range.overlaps(request.range) }
            if wanted.isEmpty { continue }
            let ids = index.ids(of: request.streams, slots: slots)
            if ids.allSatisfy({ $0 == nil }) { continue }
            for part in wanted { try open(part, ids) }
        }
    }

    private mutating func open(_ part: Part, _ ids: [UInt64?]) throws(StoreError) {
        do throws(StoreError) {
            let reader = try part.reader()
            var blocks: Set<Int>?
            if let traces = predicates.traces, reader.directory.blocks.count < TraceFilter.blockCountMax {
                var found: Set<Int> = []
                for trace in traces { found.formUnion(try part.blocks(of: trace, reader.file)) }
                blocks = found
                if blocks?.isEmpty == true { return }
            }
            readers.append(reader)
            readerIDs.append(ids)
            readerBlocks.append(blocks)
        } catch {
            // Or its day was dropped since the snapshot.
            if part.isGone { return }
            guard error.code == .corrupted else { throw error }
            part.quarantine(error, block: -1)
        }
    }

    // MARK: Orders

    /// All blocks, in the order asked for.
    func run(_ body: (Block) throws -> ScanControl) throws {
        switch request.order {
        case .byStream:
            for stream in request.streams.indices {
                for cluster in clusters(of: stream, store: request.signal) {
                    for block in try blocks(cluster) where try body(block) == .stop { return }
                }
            }
        case .newestFirst, .oldestFirst: try runInTime(body)
        }
    }

    private func runInTime(_ body: (Block) throws -> ScanControl) throws {
        let isNewestFirst = request.order == .newestFirst
        var all: [ScanCluster] = []
        for stream in request.streams.indices { all += clusters(of: stream, store: request.signal) }
        if isNewestFirst { all.sort { $0.maxTime > $1.maxTime } } else { all.sort { $0.minTime < $1.minTime } }
        for (position, cluster) in all.enumerated() {
            // Clusters come by their nearer edge, so the next one's edge bounds all that may still come.
            let next = position + 1 < all.count ? all[position + 1] : nil
            var horizon = isNewestFirst ? next?.maxTime ?? .min : next?.minTime ?? .max
            horizon = isNewestFirst ? min(horizon, request.range.end) : max(horizon, request.range.start)
            var blocks = try blocks(cluster)
            if isNewestFirst { blocks.reverse() }
            for index in blocks.indices {
                blocks[index].horizon = horizon
                if index + 1 < blocks.count {
                    let following = blocks[index + 1].timestamps
                    blocks[index].horizon =
                        isNewestFirst ? max(horizon, following.last ?? horizon) : min(horizon, following.first ?? horizon)
                }
                if try body(blocks[index]) == .stop { return }
            }
        }
    }

    // MARK: Clusters

    private func clusters(of stream: Int, store signal: Signal) -> [ScanCluster] {
        var items: [ScanItem] = []
        for (position, reader) in readers.enumerated() {
            guard let id = readerIDs[position][stream] else { continue }
            for index in reader.directory.blocks(of: id) {
                let block = reader.directory.blocks[index]
                guard kinds.contains(block.kind), block.range.overlaps(request.range) else { continue }
                if let wanted = readerBlocks[position], !wanted.contains(index) { continue }
                items.append(
                    ScanItem(
                        source: position, kind: block.kind, minTime: block.minTime, maxTime: block.maxTime,
                        origin: .block(reader: position, index: index)))
            }
        }
        for (position, rows) in memory.enumerated() {
            let runs = signal == .spans ? rows.spans(of: stream, predicates.spans, in: request.range) : rows.runs(of: stream)
            for run in runs where kinds.contains(run.kind) {
                let clipped = run.clipped(to: request.range)
                guard let first = clipped.timestamps.first, let last = clipped.timestamps.last else { continue }
                items.append(
                    ScanItem(
                        source: readers.count + position, kind: run.kind, minTime: first, maxTime: last, origin: .run(clipped)))
            }
        }
        return items.isEmpty ? [] : ScanCluster.clusters(items, stream: stream)
    }

    /// The rows of a cluster that lie in the range and satisfy the predicates, as blocks in the order of time.
    private func blocks(_ cluster: ScanCluster) throws -> [Block] {
        try Task.checkCancellation()
        let stream = request.streams[cluster.stream]
        if cluster.items.count == 1, request.columns.isEmpty, predicates.isEmpty {
            let timestamps = try timestamps(cluster.items[0])
            if timestamps.isEmpty { return [] }
            return [Block(stream: stream, timestamps: timestamps, columns: .timestampsOnly, applied: 0)]
        }
        var blocks: [Block] = []
        for run in try rows(cluster) {
            var start = 0
            while start < run.count {
                let end = min(start + Limits.scanRowCountMax, run.count)
                let slice = run.slice(start..<end)
                blocks.append(
                    Block(
                        stream: stream, timestamps: slice.timestamps,
                        columns: request.columns.isEmpty ? .timestampsOnly : slice.payload, applied: predicates.applied))
                start = end
            }
        }
        return blocks
    }

    func rows(_ cluster: ScanCluster) throws -> [Run] {
        if request.signal == .spans { return try spans(cluster).map { $0.isEmpty ? [] : [$0] } ?? [] }
        // Rows of several pieces are compared whole, or two rows that differ in a column not asked for would become one.
        let columns = cluster.items.count == 1 ? request.columns.union(predicates.columns) : .all
        var pieces: [(source: Int, run: Run)] = []
        for item in cluster.items {
            guard let run = try run(item, columns) else { continue }
            pieces.append((item.source, run))
        }
        return Run.joined(pieces).map { predicates.filter($0.clipped(to: request.range)) }.filter { !$0.isEmpty }
    }

    private func timestamps(_ item: ScanItem) throws -> [Int64] {
        switch item.origin {
        case .run(let run): return run.timestamps
        case .block(let reader, let index):
            do throws(StoreError) {
                let timestamps = try readers[reader].timestamps(index)
                let start = timestamps.partitioningIndex { $0 >= request.range.start }
                let end = timestamps.partitioningIndex { $0 > request.range.end }
                return start == 0 && end == timestamps.count ? timestamps : Array(timestamps[start..<max(start, end)])
            } catch {
                guard error.code == .corrupted else { throw error }
                readers[reader].part.quarantine(error, block: index)
                return []
            }
        }
    }

    /// A piece's rows; nil where they are damaged, which is reported.
    private func run(_ item: ScanItem, _ columns: ScanRequest.Columns) throws -> Run? {
        switch item.origin {
        case .run(let run): return run
        case .block(let reader, let index):
            do throws(StoreError) {
                return try readers[reader].run(index, columns: columns)
            } catch {
                guard error.code == .corrupted else { throw error }
                readers[reader].part.quarantine(error, block: index)
                return nil
            }
        }
    }

    // MARK: Exemplars

    /// The exemplars of each stream of the request, oldest first.
    func exemplars() throws -> [[Exemplar]] {
        var result: [[Exemplar]] = []
        for stream in request.streams.indices {
            var exemplars: [Exemplar] = []
            for cluster in clusters(of: stream, store: .metrics) {
                for run in try rows(cluster) {
                    if case .exemplars(let values) = run.rows { exemplars += values }
                }
            }
            result.append(exemplars)
        }
        return result
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
