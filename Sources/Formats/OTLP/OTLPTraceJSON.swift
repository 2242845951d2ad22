import Codecs
import Telemetry

/// trace.proto in JSON.
enum OTLPTraceJSON {
    static let kindNames = [
        "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER",
        "SPAN_KIND_CONSUMER",
    ]
    static let statusNames = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"]

    static func groups(_ bytes: Span<UInt8>, _ rejections: inout Rejections) throws(DecodeError) -> [SpanBatch.Group] {
        var groups: [SpanBatch.Group] = []
        var reader = JSONReader(bytes)
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            guard name == "resourceSpans" else {
                try reader.skip(in: bytes)
                continue
            }
            try reader.beginArray(in: bytes)
            while try reader.nextElement(in: bytes) {
                let group = try group(&reader, bytes, &rejections)
                if !group.spans.isEmpty { groups.append(group) }
            }
        }
        try reader.finish(in: bytes)
        return groups
    }

    private static func group(
        _ reader: inout JSONReader, _ bytes: Span<UInt8>, _ rejections: inout Rejections
    ) throws(DecodeError) -> SpanBatch.Group {
        var group = SpanBatch.Group(resource: .unknown)
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "resource": group.resource = try OTLPJSON.resource(&reader, bytes)
            case "scopeSpans":
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) { try scopeSpans(&reader, bytes, &group.spans, &rejections) }
            default: try reader.skip(in: bytes)
            }
        }
        return group
    }

    private static func scopeSpans(
        _ reader: inout JSONReader, _ bytes: Span<UInt8>, _ spans: inout [TraceSpan], _ rejections: inout Rejections
    ) throws(DecodeError) {
        var scope = OTLPScope()
        let first = spans.count
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "scope": scope = try OTLPJSON.scope(&reader, bytes)
            case "spans":
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) {
                    let offset = reader.offset
                    let span = try span(&reader, bytes)
                    if let span = span.finished(&rejections, offset: offset) { spans.append(span) }
                }
            default: try reader.skip(in: bytes)
            }
        }
        for index in first..<spans.count { spans[index].scope = scope }
    }

    private static func span(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> OTLPSpan {
        var span = OTLPSpan()
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "traceId": span.traceID = try reader.traceID(in: bytes)
            case "spanId": span.spanID = try reader.spanID(in: bytes)
            case "traceState": span.span.traceState = try reader.string(in: bytes)
            case "parentSpanId": span.parentID = try reader.spanID(in: bytes)
            case "flags": span.span.flags = try reader.uint32("Span.flags", in: bytes)
            case "name": span.span.name = try reader.string(in: bytes)
            case "kind":
                let number = try reader.enumeration("Span.kind", kindNames, in: bytes)
                span.span.kind = TraceSpan.Kind(rawValue: UInt8(clamping: number)) ?? .unspecified
            case "startTimeUnixNano": span.span.start = try reader.time("Span.startTimeUnixNano", in: bytes)
            case "endTimeUnixNano": span.end = try reader.time("Span.endTimeUnixNano", in: bytes)
            case "attributes": span.span.attributes = try OTLPJSON.attributes(&reader, bytes)
            case "droppedAttributesCount":
                span.span.droppedAttributesCount = try reader.uint32("Span.droppedAttributesCount", in: bytes)
            case "events":
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) { span.span.events.append(try event(&reader, bytes)) }
            case "droppedEventsCount": span.span.droppedEventsCount = try reader.uint32("Span.droppedEventsCount", in: bytes)
            case "links":
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) { span.span.links.append(try link(&reader, bytes)) }
            case "droppedLinksCount": span.span.droppedLinksCount = try reader.uint32("Span.droppedLinksCount", in: bytes)
            case "status": try status(&reader, bytes, &span.span)
            default: try reader.skip(in: bytes)
            }
        }
        return span
    }

    private static func event(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> TraceSpan.Event {
        var event = TraceSpan.Event(timestamp: 0, name: "")
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "timeUnixNano": event.timestamp = try reader.time("Span.Event.timeUnixNano", in: bytes)
            case "name": event.name = try reader.string(in: bytes)
            case "attributes": event.attributes = try OTLPJSON.attributes(&reader, bytes)
            case "droppedAttributesCount":
                event.droppedAttributesCount = try reader.uint32("Span.Event.droppedAttributesCount", in: bytes)
            default: try reader.skip(in: bytes)
            }
        }
        return event
    }

    private static func link(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> TraceSpan.Link {
        var link = TraceSpan.Link(traceID: .none, spanID: .none)
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "traceId": link.traceID = try reader.traceID(in: bytes) ?? .none
            case "spanId": link.spanID = try reader.spanID(in: bytes) ?? .none
            case "traceState": link.traceState = try reader.string(in: bytes)
            case "attributes": link.attributes = try OTLPJSON.attributes(&reader, bytes)
            case "droppedAttributesCount":
                link.droppedAttributesCount = try reader.uint32("Span.Link.droppedAttributesCount", in: bytes)
            case "flags": link.flags = try reader.uint32("Span.Link.flags", in: bytes)
            default: try reader.skip(in: bytes)
            }
        }
        return link
    }

    private static func status(
        _ reader: inout JSONReader, _ bytes: Span<UInt8>, _ span: inout TraceSpan
    ) throws(DecodeError) {
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "message": span.statusMessage = try reader.string(in: bytes)
            case "code":
                let number = try reader.enumeration("Status.code", statusNames, in: bytes)
                span.status = TraceSpan.Status(rawValue: UInt8(clamping: number)) ?? .unset
            default: try reader.skip(in: bytes)
            }
        }
    }
}
