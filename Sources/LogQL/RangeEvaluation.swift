import Query
import Telemetry
import Templates

extension VectorAggregation {
    /// Where the sum over series equals the same aggregation over merged streams: the grouping may be done line by line, and
    /// parsers need not make labels that nobody reads.
    func reduction(of inner: RangeAggregation) -> Grouping? {
        guard operation == .sum, inner.grouping == nil, grouping?.isWithout != true else { return nil }
        switch inner.operation {
        case .count, .rate, .bytes, .bytesRate, .sum: return grouping ?? Grouping(isWithout: false, labels: [])
        default: return nil
        }
    }
}

extension RangeAggregation {
    /// The labels that its result depends on; nil: all of them.
    func neededLabels(_ grouping: Grouping?) -> Set<String>? {
        guard let grouping, !grouping.isWithout, var needed = Self.neededLabels(Set(grouping.labels), logs.stages) else { return nil }
        if let unwrap {
            needed.insert(unwrap.label)
            for filter in unwrap.filters { needed.formUnion(filter.labels) }
        }
        return needed
    }

    /// The labels that parsers must find before they may stop; nil: all.
    func requiredLabels(_ grouping: Grouping?) -> Set<String>? {
        guard let grouping, !grouping.isWithout else { return nil }
        let reading = logs.stages.filter { stage in
            // What is dropped or kept need not be there.
            switch stage {
            case .drop, .keep: false
            default: true
            }
        }
        guard var required = Self.neededLabels(Set(grouping.labels), reading) else { return nil }
        if let unwrap {
            required.insert(unwrap.label)
            for filter in unwrap.filters { required.formUnion(filter.labels) }
        }
        return required
    }

    /// `needed` and the labels that the stages read; nil where that cannot be told.
    static func neededLabels(_ labels: Set<String>, _ stages: [LogStage]) -> Set<String>? {
        var needed = labels
        for stage in stages {
            switch stage {
            case .labelFilter(let filter): needed.formUnion(filter.labels)
            case .lineFormat(let text):
                guard let fields = (try? Template(text))?.fields else { return nil }
                needed.formUnion(fields)
            case .labelFormat(let formats):
                for format in formats {
                    switch format.source {
                    case .label(let name): needed.insert(name)
                    case .template(let text):
                        guard let fields = (try? Template(text))?.fields else { return nil }
                        needed.formUnion(fields)
                    }
                }
            case .drop(let choices), .keep(let choices): needed.formUnion(choices.map(\.label))
            default: break
            }
        }
        return needed
    }
}

extension MetricEvaluator {
    /// - Parameter outer: the grouping of a sum around it, done here already.
    mutating func evaluate(_ aggregation: RangeAggregation, outer: Grouping?) async throws(QueryError) -> [StepSeries] {
        // Windows reach from `time - range` (left out) to `time`, all of it `offset` ago.
        let first = grid.start &- aggregation.offset &- aggregation.range &+ 1
        let scanned = TimeRange(first, grid.last &- aggregation.offset)
        let streams = try await LogQLEngine.reading {
            try await engine.store.streams(.logs, matching: aggregation.logs.matchers, in: scanned)
        }
        statistics.streamsSelected += streams.count
        // Whether there is a line is all that `absent_over_time` asks: as in Loki, parsers make no labels for it, and fail at none.
        let whole = aggregation.operation == .absent ? Grouping(isWithout: false, labels: []) : aggregation.grouping
        let collection = SampleCollection(
            engine: engine, aggregation: aggregation, grid: grid, grouping: outer ?? whole, range: scanned, context: context)
        // Errors of the pipeline come even where no stream matches.
        var table = try collection.collector().table
        if !streams.isEmpty {
            let tables = try await engine.divided(streams) { streams async throws in try await collection.collect(streams) }
            for other in tables { try table.merge(other) }
        }
        statistics.linesProcessed += table.linesProcessed
        statistics.bytesProcessed += table.bytesProcessed
        return table.series()
    }
}

/// How the samples of some streams are gathered for a range aggregation.
private struct SampleCollection: Sendable {
    let engine: LogQLEngine
    let aggregation: RangeAggregation
    let grid: StepGrid
    let grouping: Grouping?
    let range: TimeRange
    let context: QueryContext

    func collector() throws(QueryError) -> SampleCollector {
        let needed = aggregation.neededLabels(grouping)
        return try SampleCollector(
            table: SampleTable(aggregation, grid, seriesCountMax: engine.options.seriesCountMax, context: context), grouping: grouping,
            needed: needed, detectsLevel: engine.options.detectsLevel && needed?.contains(LevelDetector.label) ?? true, context: context)
    }

    func collect(_ streams: [TelemetryStream]) async throws -> SampleTable {
        var collector = try collector()
        try await engine.store.scanLogs(collector.request(streams, in: range), &collector)
        return collector.table
    }
}
