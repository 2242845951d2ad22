import Codecs
import Telemetry

/// trace.proto on the wire.
enum OTLPTraceProtobuf {
    static func groups(_ bytes: Span<UInt8>, _ rejections: inout Rejections) throws(DecodeError) -> [SpanBatch.Group] {
        var groups: [SpanBatch.Group] = []
        var reader = ProtobufReader(bytes)
        var texts = TextCache(byteCount: bytes.count)
        while let field = try reader.next(in: bytes) {
            guard field.number == 1 else { continue }
            let group = try group(try field.message("ExportTraceServiceRequest.resource_spans"), bytes, &texts, &rejections)
            if !group.spans.isEmpty { groups.append(group) }
        }
        return groups
    }

    private static func group(
        _ message: ProtobufReader, _ bytes: Span<UInt8>, _ texts: inout TextCache, _ rejections: inout Rejections
    ) throws(DecodeError) -> SpanBatch.Group {
        var reader = message
        var group = SpanBatch.Group(resource: .unknown)
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: group.resource = try OTLPProtobuf.resource(try field.message("ResourceSpans.resource"), bytes)
            case 2: try scopeSpans(try field.message("ResourceSpans.scope_spans"), bytes, &texts, &group.spans, &rejections)
            default: break
            }
        }
        return group
    }

    private static func scopeSpans(
        _ message: ProtobufReader, _ bytes: Span<UInt8>, _ texts: inout TextCache, _ spans: inout [TraceSpan],
        _ rejections: inout Rejections
    ) throws(DecodeError) {
        var reader = message
        var scope = OTLPScope()
        let first = spans.count
        // Spans that follow each other mostly have as many.
        var attributeCount = 0
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: scope = try OTLPProtobuf.scope(try field.message("ScopeSpans.scope"), bytes)
            case 2:
                let span = try span(try field.message("ScopeSpans.spans"), bytes, &texts, attributeCountHint: attributeCount)
                attributeCount = span.span.attributes.count
                if var span = span.finished(&rejections, offset: field.offset) {
                    span.scope = scope
                    spans.append(span)
                }
            default: break
            }
        }
        // Protobuf promises no order: the scope may have come last.
        if first < spans.count, spans[first].scope != scope {
            for index in first..<spans.count { spans[index].scope = scope }
        }
    }

    private static func span(
        _ message: ProtobufReader, _ bytes: Span<UInt8>, _ texts: inout TextCache, attributeCountHint: Int
    ) throws(DecodeError) -> OTLPSpan {
        var reader = message
        var span = OTLPSpan()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: span.traceID = try OTLPProtobuf.traceID(field, "Span.trace_id", bytes)
            case 2: span.spanID = try OTLPProtobuf.spanID(field, "Span.span_id", bytes)
            case 3: span.span.traceState = try field.string("Span.trace_state", in: bytes)
            case 4: span.parentID = try OTLPProtobuf.spanID(field, "Span.parent_span_id", bytes)
            case 5: span.span.name = try texts.string(field, "Span.name", bytes)
            case 6: span.span.kind = TraceSpan.Kind(rawValue: UInt8(clamping: try field.uint64("Span.kind"))) ?? .unspecified
            case 7: span.span.start = try OTLPProtobuf.time(field, "Span.start_time_unix_nano")
            case 8: span.end = try OTLPProtobuf.time(field, "Span.end_time_unix_nano")
            case 9:
                if span.span.attributes.isEmpty { span.span.attributes.reserveCapacity(attributeCountHint) }
                span.span.attributes.append(try OTLPProtobuf.attribute(try field.message("Span.attributes"), bytes, &texts))
            case 10: span.span.droppedAttributesCount = try field.uint32("Span.dropped_attributes_count")
            case 11: span.span.events.append(try event(try field.message("Span.events"), bytes, &texts))
            case 12: span.span.droppedEventsCount = try field.uint32("Span.dropped_events_count")
            case 13: span.span.links.append(try link(try field.message("Span.links"), bytes, &texts))
            case 14: span.span.droppedLinksCount = try field.uint32("Span.dropped_links_count")
            case 15: try status(try field.message("Span.status"), bytes, &texts, &span.span)
            case 16: span.span.flags = try field.fixed32("Span.flags")
            default: break
            }
        }
        return span
    }

    private static func event(
        _ message: ProtobufReader, _ bytes: Span<UInt8>, _ texts: inout TextCache
    ) throws(DecodeError) -> TraceSpan.Event {
        var reader = message
        var event = TraceSpan.Event(timestamp: 0, name: "")
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: event.timestamp = try OTLPProtobuf.time(field, "Span.Event.time_unix_nano")
            case 2: event.name = try texts.string(field, "Span.Event.name", bytes)
            case 3: event.attributes.append(try OTLPProtobuf.attribute(try field.message("Span.Event.attributes"), bytes, &texts))
            case 4: event.droppedAttributesCount = try field.uint32("Span.Event.dropped_attributes_count")
            default: break
            }
        }
        return event
    }

    private static func link(
        _ message: ProtobufReader, _ bytes: Span<UInt8>, _ texts: inout TextCache
    ) throws(DecodeError) -> TraceSpan.Link {
        var reader = message
        var link = TraceSpan.Link(traceID: .none, spanID: .none)
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: link.traceID = try OTLPProtobuf.traceID(field, "Span.Link.trace_id", bytes) ?? .none
            case 2: link.spanID = try OTLPProtobuf.spanID(field, "Span.Link.span_id", bytes) ?? .none
            case 3: link.traceState = try field.string("Span.Link.trace_state", in: bytes)
            case 4: link.attributes.append(try OTLPProtobuf.attribute(try field.message("Span.Link.attributes"), bytes, &texts))
            case 5: link.droppedAttributesCount = try field.uint32("Span.Link.dropped_attributes_count")
            case 6: link.flags = try field.fixed32("Span.Link.flags")
            default: break
            }
        }
        return link
    }

    private static func status(
        _ message: ProtobufReader, _ bytes: Span<UInt8>, _ texts: inout TextCache, _ span: inout TraceSpan
    ) throws(DecodeError) {
        var reader = message
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 2: span.statusMessage = try texts.string(field, "Status.message", bytes)
            case 3: span.status = TraceSpan.Status(rawValue: UInt8(clamping: try field.uint64("Status.code"))) ?? .unset
            default: break
            }
        }
    }
}
