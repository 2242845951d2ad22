package import Telemetry

extension SpanField {
    /// It names a span or a trace by its id.
    var isIdentifier: Bool {
        switch name {
        case .intrinsic(.id), .intrinsic(.parentID), .intrinsic(.traceID), .intrinsic(.linkSpanID),
            .intrinsic(.linkTraceID):
            true
        default: false
        }
    }

    func value(_ context: SpanContext) -> SpanValue {
        guard isParent || name == .parentSpan else { return Self.value(name, context) }
        guard let tree = context.tree else { return .unknown }
        guard let parent = tree.parents[context.index] else { return .one(.none) }
        if name == .parentSpan { return .bool(true) }
        return Self.value(
            name, SpanContext(span: tree.spans[parent], resource: tree.resources[parent], tree: tree, index: parent))
    }

    private static func value(_ name: Name, _ context: SpanContext) -> SpanValue {
        switch name {
        case .attribute(let scope, let name): attribute(scope, name, context)
        case .intrinsic(let intrinsic): value(intrinsic, context)
        case .parentSpan: .one(.none)
        }
    }

    private static func attribute(_ scope: Scope, _ name: String, _ context: SpanContext) -> SpanValue {
        let span = context.span
        switch scope {
        case .span: return value(span.attributes[name])
        case .resource: return value(context.resource.attributes[name])
        case .instrumentation: return value(span.scope.attributes[name])
        case .event: return many(span.events.map { $0.attributes[name] })
        case .link: return many(span.links.map { $0.attributes[name] })
        case .any:
            if let value = span.attributes[name] ?? context.resource.attributes[name] ?? span.scope.attributes[name] {
                return Self.value(value)
            }
            let others = span.events.compactMap { $0.attributes[name] } + span.links.compactMap { $0.attributes[name] }
            return others.isEmpty ? .one(.none) : many(others)
        }
    }

    private static func many(_ values: [AttributeValue?]) -> SpanValue {
        .many(values.compactMap { $0.map(StaticValue.init) }.filter { $0 != .none })
    }

    private static func value(_ value: AttributeValue?) -> SpanValue {
        guard let value else { return .one(.none) }
        if case .array(let values) = value { return .many(values.map(StaticValue.init)) }
        return .one(StaticValue(value))
    }

    private static func value(_ intrinsic: Intrinsic, _ context: SpanContext) -> SpanValue {
        let span = context.span
        switch intrinsic {
        case .duration: return .one(.duration(span.duration))
        case .name: return .one(.string(span.name))
        case .status: return .one(.status(span.status))
        case .statusMessage: return .one(.string(span.statusMessage))
        case .kind: return .one(.kind(span.kind))
        case .id: return .one(.string(span.spanID.description))
        case .parentID: return .one(.string(span.parentID.isNone ? "" : span.parentID.description))
        case .traceID: return .one(.string(span.traceID.description))
        case .eventName: return .many(span.events.map { .string($0.name) })
        case .eventTimeSinceStart: return .many(span.events.map { .duration($0.timestamp &- span.start) })
        case .linkSpanID: return .many(span.links.map { .string($0.spanID.description) })
        case .linkTraceID: return .many(span.links.map { .string($0.traceID.description) })
        case .instrumentationName: return .one(.string(span.scope.name))
        case .instrumentationVersion: return .one(.string(span.scope.version))
        case .traceDuration, .rootName, .rootServiceName, .childCount, .nestedSetLeft, .nestedSetRight,
            .nestedSetParent:
            guard let tree = context.tree else { return .unknown }
            return .one(value(intrinsic, tree, context.index))
        }
    }

    private static func value(_ intrinsic: Intrinsic, _ tree: TraceTree, _ index: Int) -> StaticValue {
        switch intrinsic {
        case .traceDuration: .duration(tree.end &- tree.start)
        case .rootName: .string(tree.rootName)
        case .rootServiceName: .string(tree.rootServiceName)
        case .childCount: .int(Int64(tree.children[index].count))
        case .nestedSetLeft: .int(Int64(tree.left[index]))
        case .nestedSetRight: .int(Int64(tree.right[index]))
        // A root's parent is -1, as in Tempo.
        case .nestedSetParent: .int(Int64(tree.parents[index].map { tree.left[$0] } ?? -1))
        default: .none
        }
    }
}

extension StaticValue {
    init(_ value: AttributeValue) {
        switch value {
        case .empty: self = .none
        case .string(let text): self = .string(text)
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .double(let value): self = .double(value)
        case .bytes, .array, .map: self = .string(value.text)
        }
    }

    /// As the attribute of a result.
    package var attribute: AttributeValue {
        switch self {
        case .none: .empty
        case .string(let text): .string(text)
        case .int(let value): .int(value)
        case .double(let value): .double(value)
        case .bool(let value): .bool(value)
        case .duration(let nanoseconds): .string(DurationText.text(nanoseconds))
        case .status(let status): .string(status.name)
        case .kind(let kind): .string(kind.name)
        }
    }
}

extension TraceSpan.Status {
    package var name: String {
        switch self {
        case .unset: "unset"
        case .ok: "ok"
        case .error: "error"
        }
    }
}

extension TraceSpan.Kind {
    package var name: String {
        switch self {
        case .unspecified: "unspecified"
        case .internal: "internal"
        case .server: "server"
        case .client: "client"
        case .producer: "producer"
        case .consumer: "consumer"
        }
    }
}

extension DurationText {
    /// Nanoseconds as Go prints a `time.Duration`.
    package static func text(_ nanoseconds: Int64) -> String {
        let magnitude = nanoseconds.magnitude
        let sign = nanoseconds < 0 ? "-" : ""
        func decimal(_ value: UInt64, _ unit: UInt64, _ name: String) -> String {
            let (whole, rest) = value.quotientAndRemainder(dividingBy: unit)
            guard rest > 0 else { return "\(whole)\(name)" }
            var digits = String(String(unit + rest).dropFirst())
            while digits.hasSuffix("0") { digits.removeLast() }
            return "\(whole).\(digits)\(name)"
        }
        if magnitude == 0 { return "0s" }
        if magnitude < 1_000 { return "\(sign)\(magnitude)ns" }
        if magnitude < 1_000_000 { return sign + decimal(magnitude, 1_000, "µs") }
        if magnitude < 1_000_000_000 { return sign + decimal(magnitude, 1_000_000, "ms") }
        let minutes = magnitude / 60_000_000_000
        let seconds = decimal(magnitude % 60_000_000_000, 1_000_000_000, "s")
        if minutes == 0 { return sign + seconds }
        return minutes < 60 ? "\(sign)\(minutes)m\(seconds)" : "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
    }
}
