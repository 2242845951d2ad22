package import Query
package import Telemetry

extension LogQLEngine {
    /// The newest (or oldest) `limit` lines that a selector and its pipeline let through.
    package func lines(
        _ selector: LogSelector, in range: TimeRange, limit: Int, direction: LogQLDirection, context: QueryContext
    ) async throws(QueryError) -> LogQLResult {
        let started = ContinuousClock.now
        var collection = LineCollection(
            store: store, selector: selector, range: range, limit: max(0, limit), direction: direction, detectsLevel: options.detectsLevel,
            context: context)
        // Errors of the pipeline come even where no stream matches.
        var collector = try collection.collector()
        let streams = try await Self.reading { try await store.streams(.logs, matching: selector.matchers, in: range) }
        collector.statistics.streamsSelected = streams.count
        if limit > 0, !streams.isEmpty {
            collection.bound = ScanBound(collection.order)
            let collection = collection
            for found in try await divided(streams, { streams async throws in try await collection.collect(streams) }) {
                collector.merge(found)
            }
        }
        return collector.result(since: started)
    }
}

/// How the lines of some streams are gathered.
private struct LineCollection: Sendable {
    let store: any TelemetryStore
    let selector: LogSelector
    let range: TimeRange
    let limit: Int
    let direction: LogQLDirection
    let detectsLevel: Bool
    let context: QueryContext
    /// What those that look for lines at the same time have found enough of.
    var bound: ScanBound?

    var order: ScanRequest.Order { direction == .backward ? .newestFirst : .oldestFirst }

    func collector() throws(QueryError) -> LineCollector {
        LineCollector(
            pipeline: try LogPipeline(selector.stages, needed: nil), probe: try selector.probe, plan: try ColumnPlan(selector.stages),
            limit: limit, direction: direction, detectsLevel: detectsLevel, context: context, bound: bound)
    }

    func collect(_ streams: [TelemetryStream]) async throws -> FoundLines {
        var collector = try collector()
        var request = ScanRequest(
            signal: .logs, streams: streams, range: range, order: order, columns: [.line, .metadata, .identifiers],
            predicates: collector.pipeline.predicates)
        request.bound = bound
        request.fields = collector.fields
        request.fieldTexts = collector.fieldTexts
        if collector.pipeline.isChecked, collector.pipeline.filtersLinesOnly { request.rowCountMax = limit }
        try await store.scanLogs(request, &collector)
        return collector.foundLines
    }
}

/// A line of the answer.
private struct FoundLine: Sendable {
    var timestamp: Int64
    /// Lines of one instant stay in the order in which they came.
    var order: Int
    var line: String
    var labels: Labels
    var structuredMetadata: Labels
    var parsed: Labels
}

private struct FoundLines: Sendable {
    var lines: [FoundLine]
    var statistics: LogQLStatistics
}

/// Gathers the lines of a result while blocks come in order of time.
private struct LineCollector: LogScanReader {
    let pipeline: LogPipeline
    /// Decides with the labels that filters read, where making all of them is dearer: most lines do not pass.
    let probe: LogPipeline?
    private let plan: ColumnPlan?
    /// The fields that the store is asked for.
    let fields: [String]
    var fieldTexts: [ScanRequest.FieldText] { plan?.fieldTexts ?? [] }
    let limit: Int
    let isBackward: Bool
    private let context: QueryContext
    private let bound: ScanBound?
    var statistics = LogQLStatistics()
    private var found: [FoundLine] = []
    private var row: Row
    private var order = 0
    /// With `limit` lines found: what is not newer (older) than this one cannot come into the result any more.
    private var cutoff: Int64?

    init(
        pipeline: LogPipeline, probe: LogPipeline?, plan: ColumnPlan?, limit: Int, direction: LogQLDirection, detectsLevel: Bool,
        context: QueryContext, bound: ScanBound?
    ) {
        if let plan, !plan.filters.isEmpty, let fields = plan.fields([]) {
            (self.plan, self.fields) = (plan, fields)
        } else {
            (self.plan, self.fields) = (nil, [])
        }
        self.context = context
        self.bound = bound
        self.pipeline = pipeline
        self.probe = probe
        self.limit = limit
        isBackward = direction == .backward
        row = Row(labels: RowLabels(detectsLevel: detectsLevel))
    }

    /// Leaves the rows that the filters behind `json` may let through.
    mutating func read(_ block: inout LogFieldBlock) throws {
        guard let plan else { return }
        try context.check()
        let columns = ColumnBlock(block, names: fields, hasJSON: plan.hasJSON, detectsLevel: row.labels.detectsLevel)
        var verdicts = [UInt8](repeating: ColumnVerdict.passes, count: columns.rowCount)
        for filter in plan.filters {
            guard let more = filter.verdicts(columns) else { return }
            for row in verdicts.indices { verdicts[row] = more[row] == ColumnVerdict.fails ? more[row] : verdicts[row] }
        }
        // Lines that were not taken apart run through the pipeline as they are.
        for row in block.fields.unparsedRows { verdicts[row] = ColumnVerdict.lineTells }
        for row in verdicts.indices where verdicts[row] == ColumnVerdict.fails && block.isWanted[row] != 0 {
            block.isWanted[row] = 0
            statistics.linesProcessed += 1
        }
    }

    mutating func take(_ block: Block) throws -> ScanControl {
        try context.check()
        try context.read(samples: block.count)
        if case .logs(let columns) = block.columns {
            let count = min(block.count, columns.ends.count)
            for offset in 0..<count {
                let index = isBackward ? count - 1 - offset : offset
                let timestamp = block.timestamps[index]
                if let cutoff, isBackward ? timestamp <= cutoff : timestamp >= cutoff { break }
                take(block, columns, index, timestamp)
            }
        }
        trim()
        guard let cutoff else { return .continue }
        return (isBackward ? block.horizon <= cutoff : block.horizon >= cutoff) ? .stop : .continue
    }

    private mutating func take(_ block: Block, _ columns: LogColumns, _ index: Int, _ timestamp: Int64) {
        let range = columns.range(index)
        row.timestamp = timestamp
        row.line = columns.bytes[range]
        let metadata = columns.fullMetadata(index)
        row.labels.reset(stream: block.stream.labels, metadata: metadata, line: row.line)
        statistics.linesProcessed += 1
        statistics.bytesProcessed += range.count
        if let probe {
            guard probe.run(&row, applied: block.applied) else { return }
            row.line = columns.bytes[range]
            row.labels.reset(stream: block.stream.labels, metadata: metadata, line: row.line)
        }
        guard pipeline.run(&row, applied: block.applied) else { return }
        order += 1
        found.append(
            FoundLine(
                timestamp: timestamp, order: order, line: String(decoding: row.line, as: UTF8.self), labels: row.labels.shown,
                structuredMetadata: row.labels.structuredMetadata, parsed: row.labels.parsedLabels))
        if found.count >= 2 * limit + 1_024 { trim() }
    }

    /// Keeps the best `limit` lines.
    private mutating func trim() {
        guard found.count > limit || (found.count == limit && cutoff == nil) else { return }
        sort()
        found.removeSubrange(limit...)
        cutoff = found.last?.timestamp
        if let cutoff { bound?.narrow(to: cutoff) }
    }

    private mutating func sort() {
        found.sort { left, right in
            if left.timestamp != right.timestamp { return isBackward ? left.timestamp > right.timestamp : left.timestamp < right.timestamp }
            return left.order < right.order
        }
    }

    var foundLines: FoundLines { FoundLines(lines: found, statistics: statistics) }

    mutating func merge(_ other: FoundLines) {
        statistics.linesProcessed += other.statistics.linesProcessed
        statistics.bytesProcessed += other.statistics.bytesProcessed
        for var line in other.lines {
            line.order += order
            found.append(line)
        }
        order = found.reduce(order) { max($0, $1.order) }
    }

    mutating func result(since started: ContinuousClock.Instant) -> LogQLResult {
        sort()
        var streams: [LogQLStream] = []
        var indexes: [Labels: Int] = [:]
        for line in found.prefix(limit) {
            let entry = LogQLEntry(
                timestamp: line.timestamp, line: line.line, structuredMetadata: line.structuredMetadata, parsed: line.parsed)
            if let index = indexes[line.labels] {
                streams[index].entries.append(entry)
            } else {
                indexes[line.labels] = streams.count
                streams.append(LogQLStream(labels: line.labels, entries: [entry]))
            }
        }
        streams.sort { $0.labels < $1.labels }
        statistics.linesReturned = min(found.count, limit)
        statistics.seconds = (ContinuousClock.now - started).seconds
        return LogQLResult(value: .streams(streams), statistics: statistics)
    }
}

extension LogSelector {
    /// The pipeline with parsers that make only what the filters read; nil where that saves nothing.
    fileprivate var probe: LogPipeline? {
        get throws(QueryError) {
            let hasParser = stages.contains { stage in
                switch stage {
                case .json(let extractions): extractions.isEmpty
                case .logfmt(_, _, let extractions): extractions.isEmpty
                default: false
                }
            }
            let hasFilter = stages.contains { if case .labelFilter = $0 { true } else { false } }
            guard hasParser, hasFilter, let needed = RangeAggregation.neededLabels([], stages) else { return nil }
            return try LogPipeline(stages, needed: needed)
        }
    }
}

extension LogColumns {
    /// The structured metadata of a row, with the ids of its trace where only their own columns have them.
    func fullMetadata(_ index: Int) -> Labels {
        var labels = metadata.indices.contains(index) ? metadata[index] : .empty
        if traceIDs.indices.contains(index), !traceIDs[index].isNone, labels["trace_id"] == nil {
            labels["trace_id"] = traceIDs[index].description
        }
        if spanIDs.indices.contains(index), !spanIDs[index].isNone, labels["span_id"] == nil {
            labels["span_id"] = spanIDs[index].description
        }
        return labels
    }
}
