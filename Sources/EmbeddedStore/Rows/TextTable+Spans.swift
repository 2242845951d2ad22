import Codecs
import Telemetry

// Spans, in three groups of fields that a reader may want apart. Byte for byte: docs/format/rows.md.

extension TextTableWriter {
    /// Identifiers, name, kind, status, duration and the scope's name; not the start, which is the row's timestamp.
    mutating func appendIntrinsics(_ span: TraceSpan) {
        body.append(fixed64: span.traceID.high)
        body.append(fixed64: span.traceID.low)
        body.append(fixed64: span.spanID.value)
        body.append(fixed64: span.parentID.value)
        append(span.name)
        body.append(span.kind.rawValue << 4 | span.status.rawValue)
        append(span.statusMessage)
        body.append(signed: span.duration)
        body.append(varint: UInt64(span.flags))
        append(span.scope)
    }

    mutating func append(_ scope: TraceSpan.Scope) {
        append(scope.name)
        append(scope.version)
        append(scope.attributes)
    }

    /// Events, links, trace state and the dropped counts.
    mutating func appendDetails(_ span: TraceSpan) {
        append(span.traceState)
        for count in [span.droppedAttributesCount, span.droppedEventsCount, span.droppedLinksCount] { body.append(varint: UInt64(count)) }
        body.append(count: span.events.count)
        for event in span.events { append(event, start: span.start) }
        body.append(count: span.links.count)
        for link in span.links { append(link) }
    }

    /// - Parameter start: the span's, from which the event's time counts.
    mutating func append(_ event: TraceSpan.Event, start: Int64) {
        body.append(signed: event.timestamp &- start)
        append(event.name)
        append(event.attributes)
        body.append(varint: UInt64(event.droppedAttributesCount))
    }

    mutating func append(_ link: TraceSpan.Link) {
        body.append(fixed64: link.traceID.high)
        body.append(fixed64: link.traceID.low)
        body.append(fixed64: link.spanID.value)
        append(link.traceState)
        append(link.attributes)
        body.append(varint: UInt64(link.droppedAttributesCount))
        body.append(varint: UInt64(link.flags))
    }

    /// A whole span, start included: a row of the write-ahead log.
    mutating func append(_ span: TraceSpan) {
        body.append(signed: span.start)
        appendIntrinsics(span)
        append(span.attributes)
        appendDetails(span)
    }
}

extension TextTableReader {
    mutating func spanIntrinsics(start: Int64) throws(DecodeError) -> TraceSpan {
        let traceID = TraceID(high: try body.fixed64("trace id"), low: try body.fixed64("trace id"))
        let spanID = SpanID(try body.fixed64("span id"))
        var span = TraceSpan(traceID: traceID, spanID: spanID, name: "", start: start, duration: 0)
        span.parentID = SpanID(try body.fixed64("parent id"))
        span.name = try text("name")
        let kindAndStatus = try body.byte("kind and status")
        guard let kind = TraceSpan.Kind(rawValue: kindAndStatus >> 4), let status = TraceSpan.Status(rawValue: kindAndStatus & 15) else {
            throw DecodeError(offset: body.offset, field: "kind and status", "\(kindAndStatus) is unknown")
        }
        span.kind = kind
        span.status = status
        span.statusMessage = try text("status message")
        span.duration = try body.signed("duration")
        span.flags = try body.uint32("flags")
        span.scope = try scope()
        return span
    }

    mutating func scope() throws(DecodeError) -> TraceSpan.Scope {
        TraceSpan.Scope(name: try text("scope name"), version: try text("scope version"), attributes: try attributes())
    }

    mutating func spanEvent(start: Int64) throws(DecodeError) -> TraceSpan.Event {
        let timestamp = start &+ (try body.signed("event time"))
        return TraceSpan.Event(
            timestamp: timestamp, name: try text("event name"), attributes: try attributes(),
            droppedAttributesCount: try body.uint32("dropped attributes"))
    }

    mutating func spanLink() throws(DecodeError) -> TraceSpan.Link {
        let traceID = TraceID(high: try body.fixed64("link trace id"), low: try body.fixed64("link trace id"))
        return TraceSpan.Link(
            traceID: traceID, spanID: SpanID(try body.fixed64("link span id")), traceState: try text("link trace state"),
            attributes: try attributes(), droppedAttributesCount: try body.uint32("dropped attributes"),
            flags: try body.uint32("link flags"))
    }

    mutating func spanDetails(into span: inout TraceSpan) throws(DecodeError) {
        span.traceState = try text("trace state")
        span.droppedAttributesCount = try body.uint32("dropped attributes")
        span.droppedEventsCount = try body.uint32("dropped events")
        span.droppedLinksCount = try body.uint32("dropped links")
        for _ in 0..<(try body.count("events", byteCountMin: 4)) { span.events.append(try spanEvent(start: span.start)) }
        for _ in 0..<(try body.count("links", byteCountMin: 28)) { span.links.append(try spanLink()) }
    }

    mutating func span() throws(DecodeError) -> TraceSpan {
        var span = try spanIntrinsics(start: try body.signed("start"))
        span.attributes = try attributes()
        try spanDetails(into: &span)
        return span
    }
}
