import Telemetry

/// One reading of one state of a signal. Belongs to one task.
final class Scan {
    let request: ScanRequest
    let predicates: ScanPredicates
    private let kinds: Set<RowKind>
    private(set) var parts: [OpenPart] = []
    /// Each memtable's rows of each stream of the request, oldest memtable first.
    private var memory: [MemtableRows] = []
    /// Rows from memory that items refer to.
    var runs: [Run] = []
    /// The pieces are handed to a ``LogScanReader``: memtables give encoded rows, by their place among ``runs``.
    private let readsLogs: Bool
    var sealed: [Int: MemtableLogs.Block] = [:]
    /// The stream's pieces at hand.
    private var items: [ScanItem] = []
    private var skippedPartCount = 0

    /// A part that the scan reads.
    struct OpenPart {
        let reader: PartReader
        /// By stream of the request: the day's id of it.
        let ids: [UInt64?]
        /// The value pages that may hold the trace asked for, ascending; nil where all may.
        let pages: [Int]?
        /// What deletions leave out; nil where nothing.
        let deletions: PartDeletions?

        func mayHold(_ page: Int) -> Bool {
            guard let pages else { return true }
            var (low, high) = (0, pages.count)
            while low < high {
                let middle = (low + high) / 2
                if pages[middle] < page { low = middle + 1 } else { high = middle }
            }
            return low < pages.count && pages[low] == page
        }
    }

    /// Takes the state as it is now.
    ///
    /// - Parameter kinds: the kinds of rows wanted (exemplars lie beside a metric's values).
    init(_ request: ScanRequest, kinds: Set<RowKind>, store: SignalStore, readsLogs: Bool = false) throws(StoreError) {
        self.readsLogs = readsLogs
        self.request = request
        self.kinds = kinds
        predicates = ScanPredicates(request)
        let snapshot = store.snapshot(request.range)
        let slots = store.registry.slots(of: request.streams)
        memory = snapshot.memtables.map { $0.rows(slots, in: request.range, sealsLogs: readsLogs) }
        let partCount = snapshot.days.reduce(0) { $0 + $1.parts.count }
        for (day, index, parts) in snapshot.days {
            let wanted = parts.filter { $0.footer.range.overlaps(request.range) }
            skippedPartCount += parts.count - wanted.count
            if wanted.isEmpty { continue }
            let ids = index.ids(of: request.streams, slots: slots)
            if ids.allSatisfy({ $0 == nil }) {
                skippedPartCount += wanted.count
                continue
            }
            for part in wanted {
                try open(
                    part, ids, snapshot.deletions(of: part, day: day),
                    cacheByteCountMax: Limits.scanCacheByteCountMax / max(1, partCount))
            }
        }
    }

    private func open(
        _ part: Part, _ ids: [UInt64?], _ deletions: PartDeletions?, cacheByteCountMax: Int
    ) throws(StoreError) {
        do throws(PartFailure) {
            let reader = try part.reader(range: request.range, cacheByteCountMax: cacheByteCountMax, shared: request.signal == .metrics ? .shared : nil)
            var pages: [Int]?
            if let traces = predicates.traces { pages = try self.pages(of: traces, part) }
            if pages?.isEmpty == true {
                skippedPartCount += 1
            } else {
                parts.append(OpenPart(reader: reader, ids: ids, pages: pages, deletions: deletions))
            }
        } catch {
            // Or its day was dropped since the snapshot.
            if part.isGone { return }
            try report(error, of: part)
        }
    }

    /// The value pages that may hold rows of one of the traces, ascending; nil: all may.
    private func pages(of traces: Set<TraceID>, _ part: Part) throws(PartFailure) -> [Int]? {
        var found: Set<Int> = []
        for trace in traces {
            guard let pages = try part.pages(of: trace) else { return nil }
            found.formUnion(pages)
        }
        return found.sorted()
    }

    /// Damage is reported and left out; anything else ends the scan.
    func report(_ failure: PartFailure, of part: Part) throws(StoreError) {
        guard failure.isDamage else { throw failure.error }
        part.quarantine(failure)
    }

    // MARK: Orders

    /// All blocks, in the order asked for.
    func run(_ body: (Block) throws -> ScanControl) throws {
        defer { noteStatistics() }
        switch request.order {
        case .byStream:
            for stream in request.streams.indices where try runStream(stream, body) == .stop { return }
        case .newestFirst, .oldestFirst: try runInTime(body)
        }
    }

    func noteStatistics() {
        guard let statistics = request.statistics else { return }
        var values = ScanStatistics.Values()
        for part in parts { values += part.reader.statistics }
        values.partsSkipped += skippedPartCount
        statistics.add(values)
    }

    private func runStream(_ stream: Int, _ body: (Block) throws -> ScanControl) throws -> ScanControl {
        try Task.checkCancellation()
        runs.removeAll(keepingCapacity: true)
        items.removeAll(keepingCapacity: true)
        for part in parts.indices {
            guard let id = parts[part].ids[stream] else { continue }
            for page in parts[part].reader.index.pages(of: id) { try addChunks(of: id, part, page, to: &items) }
        }
        addRuns(stream, to: &items)
        if isInOrder {
            for item in items where try hand([item], stream, body) == .stop { return .stop }
        } else {
            for cluster in ScanCluster.clusters(items, stream: stream) where try hand(cluster.items, stream, body) == .stop { return .stop }
        }
        return .continue
    }

    private func hand(_ items: [ScanItem], _ stream: Int, _ body: (Block) throws -> ScanControl) throws -> ScanControl {
        if items.count == 1, let block = try block(stream, items[0]) { return try body(block) }
        for block in try blocks(stream, items) where try body(block) == .stop { return .stop }
        return .continue
    }

    /// Whether each piece begins after the end of the one before.
    private var isInOrder: Bool {
        var index = 1
        while index < items.count {
            if items[index].minTime <= items[index - 1].maxTime { return false }
            index += 1
        }
        return true
    }

    // MARK: Pieces

    /// Adds the chunks of a stream that lie in a value page and may hold rows that are wanted.
    func addChunks(of id: UInt64, _ part: Int, _ number: Int, to items: inout [ScanItem]) throws(StoreError) {
        let reader = parts[part].reader
        guard reader.index.range(number).overlaps(request.range), parts[part].mayHold(number), let page = try page(part, number) else { return }
        let deleted = parts[part].deletions?.ranges(of: id) ?? []
        for position in page.chunks(of: id) {
            let chunk = page.chunks[position]
            guard kinds.contains(chunk.kind) else { continue }
            let remainder = deleted.isEmpty ? .all : deleted.remainder(of: chunk.range)
            if !chunk.range.overlaps(request.range) || remainder == .none {
                reader.noteSkipped(1)
                continue
            }
            let item = ScanItem(chunk, source: part, page: number, position: position)
            if remainder == .all { items.append(item) } else { try addRest(of: item, deleted, to: &items) }
        }
    }

    /// A value page; nil where it is damaged, which is reported.
    func page(_ part: Int, _ number: Int) throws(StoreError) -> ValuePage? {
        let reader = parts[part].reader
        let page: ValuePage
        do throws(PartFailure) {
            page = try reader.page(number)
        } catch {
            try report(error, of: reader.part)
            return nil
        }
        for failure in page.failures { try report(failure, of: reader.part) }
        return page
    }

    /// Adds a stream's rows that are in memory.
    func addRuns(_ stream: Int, to items: inout [ScanItem]) {
        for position in memory.indices {
            let rows = memory[position]
            if readsLogs {
                addLogs(rows.logs(of: stream), source: parts.count + position, to: &items)
                continue
            }
            if let floats = rows.floats, kinds.contains(.floats) {
                addFloats(floats, hiddenBy: rows.histogramTimes(of: stream), stream, position, to: &items)
            }
            let found = request.signal == .spans ? rows.spans(of: stream, predicates.spans, in: request.range) : rows.runs(of: stream)
            for run in found where kinds.contains(run.kind) {
                let clipped = run.clipped(to: request.range)
                guard let first = clipped.timestamps.first, let last = clipped.timestamps.last else { continue }
                items.append(ScanItem(run: runs.count, run.kind, TimeRange(first, last), source: parts.count + position))
                runs.append(clipped)
            }
        }
    }

    /// Adds a stream's floats that are in memory.
    private func addFloats(_ floats: MemtableFloats, hiddenBy histogramTimes: [Int64], _ stream: Int, _ position: Int, to items: inout [ScanItem]) {
        guard var range = floats.range(of: stream) else { return }
        let source = parts.count + position
        if histogramTimes.isEmpty {
            items.append(ScanItem(floatsFrom: source, stream: stream, range))
        } else if let run = floats.run(of: stream).hiding(histogramTimes) {
            range = TimeRange(run.timestamps.first ?? range.start, run.timestamps.last ?? range.end)
            items.append(ScanItem(run: runs.count, .floats, range, source: source))
            runs.append(run)
        }
    }

    /// The floats of a memtable that an item stands for.
    func floats(_ item: ScanItem) -> MemtableFloats? { memory[item.source - parts.count].floats }

    /// The rows of an item that is in memory.
    func memoryRun(_ item: ScanItem) -> Run {
        item.isOfChunks ? floats(item)?.run(of: Int(item.position)) ?? Run(timestamps: [], rows: .floats([])) : runs[Int(item.position)]
    }

    private func addLogs(_ rows: (sealed: [MemtableLogs], last: Run?), source: Int, to items: inout [ScanItem]) {
        for piece in rows.sealed {
            guard let block = piece.encoded(), block.range.overlaps(request.range) else { continue }
            sealed[runs.count] = block
            items.append(ScanItem(run: runs.count, .logs, block.range, source: source))
            runs.append(Run(timestamps: [], rows: .logs(LogColumns())))
        }
        guard let last = rows.last?.clipped(to: request.range), let first = last.timestamps.first, let end = last.timestamps.last else { return }
        items.append(ScanItem(run: runs.count, .logs, TimeRange(first, end), source: source))
        runs.append(last)
    }

    // MARK: Exemplars

    /// The exemplars of each stream of the request, oldest first.
    func exemplars() throws -> [[Exemplar]] {
        defer { noteStatistics() }
        var result: [[Exemplar]] = []
        for stream in request.streams.indices {
            try Task.checkCancellation()
            runs.removeAll(keepingCapacity: true)
            items.removeAll(keepingCapacity: true)
            for part in parts.indices {
                guard let id = parts[part].ids[stream] else { continue }
                for page in parts[part].reader.index.pages(of: id) { try addChunks(of: id, part, page, to: &items) }
            }
            addRuns(stream, to: &items)
            var exemplars: [Exemplar] = []
            for cluster in ScanCluster.clusters(items, stream: stream) {
                for run in try rows(cluster.items) {
                    if case .exemplars(let values) = run.rows { exemplars += values }
                }
            }
            result.append(exemplars)
        }
        return result
    }
}
