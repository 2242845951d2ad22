package import Query
package import Telemetry

/// A value that a tag takes, with its type in Tempo's words.
package struct TagValue: Sendable, Hashable {
    /// `string`, `int`, `float`, `bool`, `duration`, `keyword`.
    package var type: String
    package var value: String
}

extension TraceQLEngine {
    /// The names of attributes by scope (`resource`, `span`, `event`, `link`, `instrumentation`, `intrinsic`), sorted. Of spans,
    /// the newest ones tell.
    package func tagNames(
        scope: String? = nil, in range: TimeRange, context: QueryContext
    ) async throws(QueryError) -> [(scope: String, names: [String])] {
        var names: [String: Set<String>] = [:]
        if scope == nil || scope == "resource" {
            names["resource"] = Set(
                try await Self.reading { try await store.labelNames(.spans, matching: [], in: range) })
        }
        if scope == nil || scope == "intrinsic" { names["intrinsic"] = Set(SpanField.Intrinsic.allCases.map(\.text)) }
        if scope != "resource", scope != "intrinsic" {
            try await newestSpans(in: range, context) { span, _ in
                names["span", default: []].formUnion(span.attributes.map(\.name))
                names["instrumentation", default: []].formUnion(span.scope.attributes.map(\.name))
                for event in span.events { names["event", default: []].formUnion(event.attributes.map(\.name)) }
                for link in span.links { names["link", default: []].formUnion(link.attributes.map(\.name)) }
            }
        }
        return names.filter { !$0.value.isEmpty && (scope == nil || scope == "" || scope == $0.key) }.sorted {
            $0.key < $1.key
        }
        .map { ($0.key, $0.value.sorted { $0.utf8Precedes($1) }) }
    }

    /// The values that a tag takes, sorted: `service.name`, `.a`, `span.http.route`, `status`, `resource.service.name`.
    ///
    /// - Parameters:
    ///   - filter: `{ … }`: only in spans that satisfy it; empty: all.
    ///   - limit: stop after so many.
    package func tagValues(
        _ tag: String, filter: String = "", limit: Int = 5_000, in range: TimeRange, context: QueryContext
    ) async throws(QueryError) -> [TagValue] {
        let field = Self.field(tag)
        switch field.name {
        case .intrinsic(.status): return ["error", "ok", "unset"].map { TagValue(type: "keyword", value: $0) }
        case .intrinsic(.kind):
            return ["client", "consumer", "internal", "producer", "server", "unspecified"].map {
                TagValue(type: "keyword", value: $0)
            }
        case .attribute(.resource, let name) where filter.isEmpty:
            let values = try await Self.reading { try await store.labelValues(name, .spans, matching: [], in: range) }
            return values.prefix(limit).map { TagValue(type: "string", value: $0) }
        default: break
        }
        var condition: SpanExpression?
        // A filter being typed may not read yet: Grafana sends it all the same.
        if !filter.isEmpty, case .search(let pipeline)? = (try? TraceQLParser.parse(filter))?.body,
            pipeline.stages.count == 1,
            case .spanset(.filter(let expression?)) = pipeline.stages[0]
        {
            condition = try SpanExpression(expression)
        }
        var found: Set<TagValue> = []
        // Names of roots are names of spans here: what a whole trace tells is left to the search.
        let read: SpanField =
            field.name == .intrinsic(.rootName)
            ? SpanField(.intrinsic(.name))
            : field.name == .intrinsic(.rootServiceName) ? SpanField(.attribute(.resource, "service.name")) : field
        try await newestSpans(in: range, context) { span, resource in
            let context = SpanContext(span: span, resource: resource)
            guard condition?.holds(context) ?? true, found.count < limit else { return }
            switch read.value(context) {
            case .one(let value): if let value = TagValue(value) { found.insert(value) }
            case .many(let values): found.formUnion(values.compactMap { TagValue($0) })
            case .unknown: break
            }
        }
        return found.sorted { ($0.value, $0.type) < ($1.value, $1.type) }
    }

    /// A tag as the index endpoints write it: an intrinsic's name, a name with its scope, or a bare name in any scope.
    private static func field(_ tag: String) -> SpanField {
        if let query = try? TraceQLParser.parseUnchecked(tag), case .search(let pipeline) = query.body,
            case .spanset(.filter(.field(let field)?))? = pipeline.stages.first
        {
            return field
        }
        return tag == "service.name" ? SpanField(.attribute(.resource, tag)) : SpanField(.attribute(.any, tag))
    }

    private func newestSpans(
        in range: TimeRange, _ context: QueryContext, _ body: (TraceSpan, Resource) -> Void
    ) async throws(QueryError) {
        let streams = try await Self.reading { try await store.streams(.spans, matching: [], in: range) }
        guard !streams.isEmpty else { return }
        var left = options.tagSpanCountMax
        let request = ScanRequest(signal: .spans, streams: streams, range: range, order: .newestFirst)
        try await Self.reading {
            try await store.scan(request) { block in
                try context.check()
                try context.read(samples: block.count)
                guard case .spans(let spans) = block.columns else { return .continue }
                for span in spans { body(span, block.stream.resource) }
                left -= spans.count
                return left > 0 ? .continue : .stop
            }
        }
    }
}

extension TagValue {
    init?(_ value: StaticValue) {
        switch value {
        case .none: return nil
        case .string(let text): self.init(type: "string", value: text)
        case .int(let number): self.init(type: "int", value: String(number))
        case .double(let number): self.init(type: "float", value: "\(number)")
        case .bool(let truth): self.init(type: "bool", value: truth ? "true" : "false")
        case .duration(let nanoseconds): self.init(type: "duration", value: DurationText.text(nanoseconds))
        case .status(let status): self.init(type: "keyword", value: status.name)
        case .kind(let kind): self.init(type: "keyword", value: kind.name)
        }
    }
}
