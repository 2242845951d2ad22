import Codecs
package import Telemetry

/// Zipkin's API version 2 (zipkin.io/zipkin-api): `POST /api/v2/spans`.
package enum Zipkin {
    /// Decodes a JSON list of spans; they become OpenTelemetry's, as the Collector translates them. Spans of one local
    /// service are one group.
    ///
    /// - Throws: ``FormatError``.
    package static func decodeJSON(_ bytes: Span<UInt8>) throws(FormatError) -> SpanBatch {
        var groups: [String: Int] = [:]
        var batch = SpanBatch()
        do throws(DecodeError) {
            var reader = JSONReader(bytes)
            try reader.beginArray(in: bytes)
            while try reader.nextElement(in: bytes) {
                let offset = reader.offset
                let span = try span(&reader, bytes)
                guard !span.span.traceID.isNone else {
                    throw DecodeError(offset: offset, field: "traceId", "the span has no traceId")
                }
                guard !span.span.spanID.isNone else { throw DecodeError(offset: offset, field: "id", "the span has no id") }
                let service = span.service.isEmpty ? "unknown_service" : span.service
                if let index = groups[service] {
                    batch.groups[index].spans.append(span.span)
                } else {
                    groups[service] = batch.groups.count
                    let resource = Resource([Attribute("service.name", .string(service))])
                    batch.groups.append(SpanBatch.Group(resource: resource, spans: [span.span]))
                }
            }
            try reader.finish(in: bytes)
        } catch {
            throw FormatError("Zipkin JSON", error)
        }
        return batch
    }

    private static func span(
        _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> (span: TraceSpan, service: String) {
        var span = TraceSpan(traceID: .none, spanID: .none, name: "", start: 0, duration: 0)
        var service = ""
        try reader.beginObject(in: bytes)
        while let name = try reader.nextName(in: bytes) {
            if try reader.skipNull(in: bytes) { continue }
            let offset = reader.offset
            switch name {
            case "traceId":
                guard let id = TraceID(hex: try reader.string(in: bytes)) else {
                    throw DecodeError(offset: offset, field: "traceId", "expected 16 or 32 hexadecimal digits")
                }
                span.traceID = id
            case "id": span.spanID = try spanID("id", &reader, bytes)
            case "parentId": span.parentID = try spanID("parentId", &reader, bytes)
            case "name": span.name = try reader.string(in: bytes)
            case "kind":
                switch try reader.string(in: bytes).uppercased() {
                case "CLIENT": span.kind = .client
                case "SERVER": span.kind = .server
                case "PRODUCER": span.kind = .producer
                case "CONSUMER": span.kind = .consumer
                default: break
                }
            case "timestamp": span.start = try microseconds("timestamp", &reader, bytes)
            case "duration": span.duration = max(0, try microseconds("duration", &reader, bytes))
            case "localEndpoint":
                let endpoint = try endpoint(&reader, bytes)
                service = endpoint.service
                add(endpoint, prefix: "net.host", &span)
            case "remoteEndpoint":
                let endpoint = try endpoint(&reader, bytes)
                if !endpoint.service.isEmpty { span.attributes.append(Attribute("peer.service", .string(endpoint.service))) }
                add(endpoint, prefix: "net.peer", &span)
            case "annotations":
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) { span.events.append(try annotation(&reader, bytes)) }
            case "tags":
                try reader.beginObject(in: bytes)
                while let name = try reader.nextName(in: bytes) {
                    if try reader.skipNull(in: bytes) { continue }
                    adopt(name, try reader.string(in: bytes), &span)
                }
            default: try reader.skip(in: bytes)
            }
        }
        return (span, service)
    }

    private static func spanID(
        _ field: String, _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> SpanID {
        _ = try reader.kind(in: bytes)
        let offset = reader.offset
        guard let id = SpanID(hex: try reader.string(in: bytes)) else {
            throw DecodeError(offset: offset, field: field, "expected 16 hexadecimal digits")
        }
        return id
    }

    /// Microseconds as nanoseconds.
    private static func microseconds(
        _ field: StaticString, _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> Int64 {
        let offset = reader.offset
        let (product, hasOverflown) = try reader.int64(field, in: bytes).multipliedReportingOverflow(by: 1_000)
        if hasOverflown { throw DecodeError(offset: offset, field: "\(field)", "it is beyond what nanoseconds hold") }
        return product
    }

    private struct Endpoint {
        var service = ""
        var address = ""
        var port: Int64 = 0
    }

    private static func endpoint(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> Endpoint {
        var endpoint = Endpoint()
        try reader.beginObject(in: bytes)
        while let name = try reader.nextName(in: bytes) {
            if try reader.skipNull(in: bytes) { continue }
            switch name {
            case "serviceName": endpoint.service = try reader.string(in: bytes)
            case "ipv4": endpoint.address = try reader.string(in: bytes)
            case "ipv6" where endpoint.address.isEmpty: endpoint.address = try reader.string(in: bytes)
            case "port": endpoint.port = try reader.int64("port", in: bytes)
            default: try reader.skip(in: bytes)
            }
        }
        return endpoint
    }

    private static func add(_ endpoint: Endpoint, prefix: String, _ span: inout TraceSpan) {
        if !endpoint.address.isEmpty { span.attributes.append(Attribute(prefix + ".ip", .string(endpoint.address))) }
        if endpoint.port != 0 { span.attributes.append(Attribute(prefix + ".port", .int(endpoint.port))) }
    }

    private static func annotation(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> TraceSpan.Event {
        var event = TraceSpan.Event(timestamp: 0, name: "")
        try reader.beginObject(in: bytes)
        while let name = try reader.nextName(in: bytes) {
            if try reader.skipNull(in: bytes) { continue }
            switch name {
            case "timestamp": event.timestamp = try microseconds("annotations.timestamp", &reader, bytes)
            case "value": event.name = try reader.string(in: bytes)
            default: try reader.skip(in: bytes)
            }
        }
        return event
    }

    /// Takes a tag: some stand for parts of an OpenTelemetry span (opentelemetry.io, "OpenTelemetry to Zipkin"), the others are
    /// attributes.
    private static func adopt(_ name: String, _ value: String, _ span: inout TraceSpan) {
        switch name {
        case "otel.status_code":
            switch value.uppercased() {
            case "OK": span.status = .ok
            case "ERROR": span.status = .error
            default: break
            }
        case "error":
            // Zipkin's own mark of a failed span; its value, where it says anything, is the message.
            span.status = .error
            if span.statusMessage.isEmpty, value != "true" { span.statusMessage = value }
        case "otel.status_description": span.statusMessage = value
        case "w3c.tracestate": span.traceState = value
        case "otel.scope.name": span.scope.name = value
        case "otel.scope.version": span.scope.version = value
        case "otel.library.name": if span.scope.name.isEmpty { span.scope.name = value }
        case "otel.library.version": if span.scope.version.isEmpty { span.scope.version = value }
        default: span.attributes.append(Attribute(name, .string(value)))
        }
    }
}
