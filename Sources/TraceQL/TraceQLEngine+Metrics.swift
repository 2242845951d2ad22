package import Query
import Telemetry

extension TraceQLEngine {
    /// The numbers of a metrics query at `from`, `from + step`, … up to `to` (nanoseconds): each tells of the spans that start
    /// within the step before it.
    package func metrics(
        _ query: String, from: Int64, to: Int64, step: Int64, context: QueryContext
    ) async throws(QueryError) -> [TraceSeries] {
        guard case .metrics(let expression) = try TraceQLParser.parse(query).body else {
            throw QueryError(
                .parse, "invalid TraceQL query: it finds traces; a metrics query ends in a function such as rate()")
        }
        guard step > 0, from <= to else {
            throw QueryError(.execution, "the step must be positive and the end not before the start")
        }
        let (width, overflow) = to.subtractingReportingOverflow(from)
        guard !overflow, width / step < Int64(options.stepCountMax) else {
            throw QueryError(.execution, "the range has more than \(options.stepCountMax) steps: make the step longer")
        }
        let grid = TraceGrid(start: from, step: step, count: Int(width / step) + 1)
        guard case .series(let series) = try await evaluate(expression, grid, context) else { return [] }
        return series.compactMap { one in
            var result = TraceSeries(labels: one.labels, timestamps: [], values: [])
            for (index, value) in one.values.enumerated() {
                guard let value else { continue }
                result.timestamps.append(grid.time(index))
                result.values.append(value)
            }
            return result.values.isEmpty ? nil : result
        }
    }

    private enum Evaluated {
        case number(Double)
        case series([GridSeries])
    }

    private func evaluate(
        _ expression: MetricsExpression, _ grid: TraceGrid, _ context: QueryContext
    ) async throws(QueryError) -> Evaluated {
        try context.check()
        switch expression {
        case .constant(let value): return .number(value)
        case .query(let pipeline, let aggregation):
            guard aggregation.function != .compare else {
                throw QueryError(.execution, "compare() is not answered: ask for the two selections by themselves")
            }
            return .series(try await collect(pipeline, aggregation, grid, context).series())
        case .filter(let inner, let operation, let number):
            guard case .series(var series) = try await evaluate(inner, grid, context) else { return .series([]) }
            for index in series.indices {
                series[index].values = series[index].values.map { value in
                    value.flatMap { SpanExpression.compare(operation, .double($0), .double(number)) ? $0 : nil }
                }
            }
            return .series(series)
        case .ranked(let inner, let isTop, let count):
            guard case .series(let series) = try await evaluate(inner, grid, context) else { return .series([]) }
            return .series(Self.ranked(series, isTop, count, grid))
        case .arithmetic(let operation, let left, let right):
            let (a, b) = (try await evaluate(left, grid, context), try await evaluate(right, grid, context))
            return Self.arithmetic(operation, a, b)
        }
    }

    private static func ranked(_ series: [GridSeries], _ isTop: Bool, _ count: Int, _ grid: TraceGrid) -> [GridSeries] {
        var result = series.map { GridSeries(labels: $0.labels, values: [Double?](repeating: nil, count: grid.count)) }
        for step in 0..<grid.count {
            let present = series.indices.compactMap { index in series[index].values[step].map { (index, $0) } }
            let order = present.sorted { $0.1 == $1.1 ? $0.0 < $1.0 : isTop ? $0.1 > $1.1 : $0.1 < $1.1 }
            for (index, value) in order.prefix(count) { result[index].values[step] = value }
        }
        return result
    }

    private static func arithmetic(_ operation: FieldExpression.Operation, _ left: Evaluated, _ right: Evaluated)
        -> Evaluated
    {
        func combine(_ a: Double, _ b: Double) -> Double {
            switch operation {
            case .add: a + b
            case .subtract: a - b
            case .multiply: a * b
            default: a / b
            }
        }
        switch (left, right) {
        case (.number(let a), .number(let b)): return .number(combine(a, b))
        case (.series(let series), .number(let number)):
            return .series(
                series.map { GridSeries(labels: $0.labels, values: $0.values.map { $0.map { combine($0, number) } }) })
        case (.number(let number), .series(let series)):
            return .series(
                series.map { GridSeries(labels: $0.labels, values: $0.values.map { $0.map { combine(number, $0) } }) })
        case (.series(let left), .series(let right)):
            // The name of a function groups nothing: `rate() / count_over_time()` finds its partner.
            func key(_ labels: [Attribute]) -> [Attribute] { labels.filter { $0.name != "__name__" } }
            let partners = Dictionary(right.map { (key($0.labels), $0) }) { first, _ in first }
            return .series(
                left.compactMap { one in
                    guard let other = partners[key(one.labels)] else { return nil }
                    let values = zip(one.values, other.values).map { a, b in a.flatMap { a in b.map { combine(a, $0) } }
                    }
                    return GridSeries(labels: one.labels, values: values)
                })
        }
    }

    private func collect(
        _ pipeline: SpansetPipeline, _ aggregation: MetricsExpression.Aggregation, _ grid: TraceGrid,
        _ context: QueryContext
    ) async throws(QueryError) -> TraceCollector {
        let plan = try SpansetPlan(pipeline)
        let candidates = try CandidatePlan(pipeline)
        let range = grid.range
        let all = try await Self.reading { try await store.streams(.spans, matching: [], in: range) }
        var collector = TraceCollector(aggregation, grid)
        let names = aggregation.grouping + (aggregation.field.map { [$0] } ?? []) + pipeline.shownFields
        let isLocal = candidates.isExact && names.allSatisfy { !$0.needsTrace }
        let streams = isLocal ? all.filter { candidates.wants($0) } : all
        guard !streams.isEmpty else { return collector }
        var traces: [TraceID: [SpanBatch.Group]] = [:]
        let request = ScanRequest(
            signal: .spans, streams: streams, range: range, order: .byStream,
            columns: isLocal ? names.reduce([]) { $0.union($1.columns) } : .all,
            attributeNames: isLocal ? names.attributeNames : nil, predicates: isLocal ? candidates.predicates : [])
        try await Self.reading {
            try await store.scan(request) { block in
                try context.check()
                try context.read(samples: block.count)
                guard case .spans(let spans) = block.columns else {
                    // Nothing but the resource is asked of these spans.
                    let empty = TraceSpan(traceID: .none, spanID: .none, name: "", start: 0, duration: 0)
                    if isLocal, candidates.wants(empty, block.stream.resource) {
                        collector.add(SpanContext(span: empty, resource: block.stream.resource), at: block.timestamps)
                    }
                    return .continue
                }
                if isLocal {
                    for (var span, start) in zip(spans, block.timestamps)
                    where candidates.wants(span, block.stream.resource) {
                        span.start = start
                        collector.add(SpanContext(span: span, resource: block.stream.resource))
                    }
                } else {
                    // Only whole traces tell: they are held until all have come.
                    try context.reserve(bytes: spans.count * Self.spanByteCountGuess)
                    for span in spans {
                        traces[span.traceID, default: []].append(
                            SpanBatch.Group(resource: block.stream.resource, spans: [span]))
                    }
                }
                return .continue
            }
        }
        for (id, groups) in traces {
            try context.check()
            let tree = TraceTree(id: id, groups: groups)
            for index in Set(plan.run(tree).flatMap(\.spans)).sorted() {
                collector.add(
                    SpanContext(span: tree.spans[index], resource: tree.resources[index], tree: tree, index: index))
            }
        }
        return collector
    }
}

extension SpanField {
    /// Only the whole trace tells.
    var needsTrace: Bool {
        if isParent { return true }
        switch name {
        case .parentSpan: return true
        case .attribute: return false
        case .intrinsic(let intrinsic):
            switch intrinsic {
            case .traceDuration, .rootName, .rootServiceName, .childCount, .nestedSetLeft, .nestedSetRight,
                .nestedSetParent:
                return true
            default: return false
            }
        }
    }
}
