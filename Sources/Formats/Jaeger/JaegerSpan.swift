import Telemetry

/// A span of Jaeger's model, and its translation to OpenTelemetry's (opentelemetry.io, "OpenTelemetry to Jaeger", backwards).
struct JaegerSpan {
    struct Reference {
        var isFollowsFrom = false
        var traceLow: Int64 = 0
        var traceHigh: Int64 = 0
        var spanID: Int64 = 0
    }

    struct Log {
        var microseconds: Int64 = 0
        var fields: [Attribute] = []
    }

    var traceLow: Int64 = 0
    var traceHigh: Int64 = 0
    var id: Int64 = 0
    var parentID: Int64 = 0
    var operation = ""
    var references: [Reference] = []
    var flags: Int32 = 0
    var startMicroseconds: Int64 = 0
    var durationMicroseconds: Int64 = 0
    var tags: [Attribute] = []
    var logs: [Log] = []

    func translated() -> TraceSpan {
        var span = TraceSpan(
            traceID: TraceID(high: UInt64(bitPattern: traceHigh), low: UInt64(bitPattern: traceLow)),
            spanID: SpanID(UInt64(bitPattern: id)), parentID: SpanID(UInt64(bitPattern: parentID)), name: operation,
            start: Self.nanoseconds(startMicroseconds), duration: max(0, Self.nanoseconds(durationMicroseconds)))
        // Bit 0 says "sampled" in both worlds.
        span.flags = UInt32(bitPattern: flags) & 1
        for reference in references { add(reference, to: &span) }
        for tag in tags where !adopt(tag, &span) { span.attributes.append(tag) }
        // Go's early SDKs send the code's number, in their own order (error 1, ok 2) and not OTLP's. All exporters must say
        // `error` of an error, so that tag decides.
        if case .int(let code)? = tags["otel.status_code"], code != 0, span.status == .unset { span.status = .ok }
        span.events = logs.map(Self.event)
        return span
    }

    /// The first reference to a parent in the same trace is the parent where no other is named; all others are links.
    private func add(_ reference: Reference, to span: inout TraceSpan) {
        let traceID = TraceID(high: UInt64(bitPattern: reference.traceHigh), low: UInt64(bitPattern: reference.traceLow))
        let spanID = SpanID(UInt64(bitPattern: reference.spanID))
        if traceID == span.traceID, !reference.isFollowsFrom || span.parentID == spanID {
            if span.parentID.isNone { span.parentID = spanID }
            if span.parentID == spanID { return }
        }
        let kind = reference.isFollowsFrom ? "follows_from" : "child_of"
        span.links.append(
            TraceSpan.Link(
                traceID: traceID, spanID: spanID, attributes: [Attribute("opentracing.ref_type", .string(kind))]))
    }

    /// Takes a tag that stands for a part of the span; false where it is an attribute like any other.
    private func adopt(_ tag: Attribute, _ span: inout TraceSpan) -> Bool {
        switch (tag.name, tag.value) {
        case ("span.kind", .string(let kind)):
            switch kind.lowercased() {
            case "client": span.kind = .client
            case "server": span.kind = .server
            case "producer": span.kind = .producer
            case "consumer": span.kind = .consumer
            case "internal": span.kind = .internal
            default: return false
            }
        case ("otel.status_code", .string(let code)):
            switch code.uppercased() {
            case "OK": span.status = .ok
            case "ERROR": span.status = .error
            case "UNSET": break
            default: return false
            }
        case ("otel.status_code", .int): break
        case ("otel.status_description", .string(let message)): span.statusMessage = message
        case ("error", .bool(let isError)): if isError, span.status == .unset { span.status = .error }
        case ("error", .string(let text)) where text == "true" || text == "false":
            if text == "true", span.status == .unset { span.status = .error }
        case ("w3c.tracestate", .string(let state)): span.traceState = state
        case ("otel.scope.name", .string(let name)): span.scope.name = name
        case ("otel.scope.version", .string(let version)): span.scope.version = version
        case ("otel.library.name", .string(let name)): if span.scope.name.isEmpty { span.scope.name = name }
        case ("otel.library.version", .string(let version)): if span.scope.version.isEmpty { span.scope.version = version }
        default: return false
        }
        return true
    }

    /// A log is an event; its field `event` (or `message`, where it has none) is the name.
    private static func event(_ log: Log) -> TraceSpan.Event {
        var event = TraceSpan.Event(timestamp: nanoseconds(log.microseconds), name: "", attributes: log.fields)
        if let index = event.attributes.firstIndex(where: { $0.name == "event" }) {
            event.name = event.attributes.remove(at: index).value.text
        } else if let index = event.attributes.firstIndex(where: { $0.name == "message" }) {
            event.name = event.attributes[index].value.text
        }
        return event
    }

    /// Microseconds as nanoseconds; what does not fit becomes the nearest that does.
    private static func nanoseconds(_ microseconds: Int64) -> Int64 {
        let (product, hasOverflown) = microseconds.multipliedReportingOverflow(by: 1_000)
        return hasOverflown ? (microseconds < 0 ? .min : .max) : product
    }
}
