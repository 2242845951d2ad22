import Query
import Telemetry

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
        let grouping = outer ?? aggregation.grouping
        let needed = aggregation.neededLabels(grouping)
        let pipeline = try LogPipeline(
            aggregation.logs.stages, needed: needed, hints: ParserHints(needed: aggregation.requiredLabels(grouping)))
        // Windows reach from `time - range` (left out) to `time`, all of it `offset` ago.
        let first = grid.start &- aggregation.offset &- aggregation.range &+ 1
        let scanned = TimeRange(first, grid.last &- aggregation.offset)
        let streams = try await LogQLEngine.reading {
            try await engine.store.streams(.logs, matching: aggregation.logs.matchers, in: scanned)
        }
        statistics.streamsSelected += streams.count
        let detectsLevel = engine.options.detectsLevel && needed?.contains(LevelDetector.label) ?? true
        var collector = try SampleCollector(
            aggregation: aggregation, grouping: grouping, pipeline: pipeline, grid: grid, detectsLevel: detectsLevel,
            seriesCountMax: engine.options.seriesCountMax, context: context)
        if !streams.isEmpty {
            let request = ScanRequest(
                signal: .logs, streams: streams, range: scanned, order: .byStream,
                columns: collector.columns(streams), predicates: pipeline.predicates)
            let context = context
            try await LogQLEngine.reading {
                try await engine.store.scan(request) { block in
                    try context.check()
                    try context.read(samples: block.count)
                    try collector.take(block)
                    return .continue
                }
            }
        }
        statistics.linesProcessed += collector.linesProcessed
        statistics.bytesProcessed += collector.bytesProcessed
        return collector.series()
    }
}
