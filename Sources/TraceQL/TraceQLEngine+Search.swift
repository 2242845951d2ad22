package import Query
package import Telemetry

extension TraceQLEngine {
    /// The newest traces that a query finds among spans that start within a range (nanoseconds).
    ///
    /// - Parameter spansPerSpanSet: how many matched spans of each set are shown; 0: all.
    package func search(
        _ query: String, in range: TimeRange, limit: Int = 20, spansPerSpanSet: Int = 3, context: QueryContext
    ) async throws(QueryError) -> [TraceSummary] {
        // Tempo takes an empty query for "any trace".
        let isEmpty = query.utf8.allSatisfy { $0 <= 0x20 }
        guard case .search(let pipeline) = try TraceQLParser.parse(isEmpty ? "{ }" : query).body else {
            throw QueryError(.parse, "invalid TraceQL query: a metrics query finds no traces")
        }
        return try await search(pipeline, in: range, limit: limit, spansPerSpanSet: spansPerSpanSet, context: context)
    }

    /// The newest traces that a parsed query finds.
    package func search(
        _ pipeline: SpansetPipeline, in range: TimeRange, limit: Int, spansPerSpanSet: Int, context: QueryContext
    ) async throws(QueryError) -> [TraceSummary] {
        guard limit > 0, !range.isEmpty else { return [] }
        let plan = try SpansetPlan(pipeline)
        let candidates = try CandidatePlan(pipeline)
        let all = try await Self.reading { try await store.streams(.spans, matching: [], in: range) }
        let wanted = all.filter { candidates.wants($0) }
        var summaries: [TraceSummary] = []
        var seen: Set<TraceID> = []
        var rest: TimeRange? = range
        let fields = pipeline.shownFields
        var batch = candidates.isExact ? limit : limit * 4
        // Single spans say which traces may be meant, newest first; each of those is then read whole and decided. Where too few
        // of them hold, the search goes on further back.
        while let next = rest, !next.isEmpty, summaries.count < limit, !wanted.isEmpty {
            let found = try await self.candidates(candidates, wanted, next, batch, &seen, context)
            var decided = 0
            while decided < found.traces.count, summaries.count < limit {
                // Mostly every candidate is a result, and those beyond the limit need not be read.
                let count = min(found.traces.count - decided, max(limit - summaries.count, Self.traceCountMin), Self.traceCountMax)
                let traces = found.traces[decided..<decided + count]
                decided += count
                let (groups, byteCount) = try await groups(traces, all, fields, context)
                defer { context.release(bytes: byteCount) }
                for (id, _) in traces where summaries.count < limit {
                    try context.check()
                    let tree = TraceTree(id: id, groups: groups[id] ?? [])
                    // Only spans within the range count, wherever the rest of the trace lies.
                    let sets = plan.run(tree).filter { set in set.spans.contains { range.contains(tree.spans[$0].start) } }
                    if !sets.isEmpty { summaries.append(Self.summary(tree, sets, pipeline, spansPerSpanSet)) }
                }
            }
            rest = found.rest
            batch = min(batch * 2, 10_000)
        }
        return summaries.sorted { ($0.startTimeUnixNano, $0.traceID) > ($1.startTimeUnixNano, $1.traceID) }
    }

    /// How many traces are read at once: a scan has a price of its own, and traces take memory.
    private static let traceCountMin = 16
    private static let traceCountMax = 128

    private struct Candidates {
        /// Newest first, by their newest span that matched.
        var traces: [(id: TraceID, start: Int64)] = []
        /// What has not been looked at yet; nil: nothing.
        var rest: TimeRange?
    }

    /// The newest `count` candidates that were not `seen` before, or some more.
    private func candidates(
        _ plan: CandidatePlan, _ streams: [TelemetryStream], _ range: TimeRange, _ count: Int,
        _ seen: inout Set<TraceID>,
        _ context: QueryContext
    ) async throws(QueryError) -> Candidates {
        var found: [TraceID: Int64] = [:]
        var horizon: Int64?
        let known = seen
        let request = ScanRequest(
            signal: .spans, streams: streams, range: range, order: .newestFirst, columns: plan.columns,
            attributeNames: plan.attributeNames, predicates: plan.predicates)
        try await Self.reading {
            try await store.scan(request) { block in
                try context.check()
                try context.read(samples: block.count)
                guard case .spans(let spans) = block.columns else { return .continue }
                for (span, start) in zip(spans, block.timestamps).reversed() where !known.contains(span.traceID) {
                    if let newest = found[span.traceID], newest >= start { continue }
                    if plan.wants(span, block.stream.resource) { found[span.traceID] = start }
                }
                // A block holds one stream's spans: another's newer ones may still come, down to the horizon.
                guard found.count >= count, found.values.count(where: { $0 >= block.horizon }) >= count else {
                    return .continue
                }
                horizon = block.horizon
                return .stop
            }
        }
        var result = Candidates()
        for (id, start) in found where start >= horizon ?? .min {
            seen.insert(id)
            result.traces.append((id, start))
        }
        result.traces.sort { ($0.start, $0.id) > ($1.start, $1.id) }
        if let horizon { result.rest = TimeRange(range.start, min(horizon, range.end)) }
        return result
    }

    private static func summary(
        _ tree: TraceTree, _ sets: [Spanset], _ pipeline: SpansetPipeline, _ spansPerSpanSet: Int
    ) -> TraceSummary {
        let fields = pipeline.shownFields
        var stats: [String: TraceSummary.ServiceStats] = [:]
        for (index, span) in tree.spans.enumerated() {
            stats[tree.resources[index].serviceName, default: .init()].spanCount += 1
            if span.status == .error { stats[tree.resources[index].serviceName, default: .init()].errorCount += 1 }
        }
        let spanSets = sets.map { set in
            let shown = spansPerSpanSet > 0 ? set.spans.prefix(spansPerSpanSet) : set.spans[...]
            return TraceSummary.SpanSet(
                spans: shown.map { span($0, tree, fields) }, matched: set.spans.count, attributes: set.attributes)
        }
        return TraceSummary(
            traceID: tree.id, rootServiceName: tree.hasTrueRoot ? tree.rootServiceName : "<root span not yet received>",
            rootTraceName: tree.hasTrueRoot ? tree.rootName : "", startTimeUnixNano: tree.start,
            durationMs: (tree.end &- tree.start) / 1_000_000, spanSets: spanSets, serviceStats: stats)
    }

    private static func span(_ index: Int, _ tree: TraceTree, _ fields: [SpanField]) -> TraceSummary.Span {
        let span = tree.spans[index]
        let context = SpanContext(span: span, resource: tree.resources[index], tree: tree, index: index)
        var attributes: [Attribute] = []
        for field in fields {
            // The name and the duration have places of their own.
            if field.name == .intrinsic(.name) || field.name == .intrinsic(.duration) { continue }
            switch field.value(context) {
            case .one(let value) where value != .none: attributes.append(Attribute(field.resultName, value.attribute))
            case .many(let values) where !values.isEmpty:
                attributes.append(
                    Attribute(
                        field.resultName, values.count == 1 ? values[0].attribute : .array(values.map(\.attribute))))
            default: break
            }
        }
        return TraceSummary.Span(
            spanID: span.spanID, name: span.name, startTimeUnixNano: span.start, durationNanos: span.duration,
            attributes: attributes)
    }
}

extension SpansetPipeline {
    /// The properties that its conditions and selections name, each once, in their order.
    var shownFields: [SpanField] {
        var fields: [SpanField] = []
        for stage in stages {
            switch stage {
            case .spanset(let expression): fields += expression.fields
            case .group(let expression): fields += expression.fields
            case .select(let selected): fields += selected
            case .filter(let filter): fields += filter.left.fields + filter.right.fields
            case .coalesce: break
            }
        }
        var seen: Set<SpanField> = []
        return fields.filter { seen.insert($0).inserted }
    }
}

extension SpansetExpression {
    fileprivate var fields: [SpanField] {
        switch self {
        case .filter(let expression): expression?.fields ?? []
        case .binary(_, let left, let right): left.fields + right.fields
        case .pipeline(let pipeline): pipeline.shownFields
        }
    }
}

extension ScalarExpression {
    fileprivate var fields: [SpanField] {
        switch self {
        case .constant: []
        case .aggregate(_, let expression): expression?.fields ?? []
        case .arithmetic(_, let left, let right): left.fields + right.fields
        case .pipeline(let pipeline, let inner): pipeline.shownFields + inner.fields
        }
    }
}
