import Codecs
package import Telemetry

extension OTLP {
    /// Encodes spans as a `TracesData`: the body of Tempo's `/api/traces/ID`.
    ///
    /// The JSON holds them under `batches`, as Tempo has it; ids are hexadecimal, 64-bit integers strings, enums their names.
    package static func encodeTrace(_ groups: [SpanBatch.Group], encoding: Encoding) -> [UInt8] {
        switch encoding {
        case .protobuf:
            var writer = ProtobufWriter()
            for group in groups {
                writer.message(1) { writer in
                    writer.message(1) { writer in
                        for attribute in group.resource.attributes { OTLPTraceEncoder.write(attribute, 1, &writer) }
                    }
                    for scopeSpans in OTLPTraceEncoder.byScope(group.spans) {
                        writer.message(2) { OTLPTraceEncoder.write(scopeSpans, &$0) }
                    }
                }
            }
            return writer.bytes
        case .json:
            var json = JSONWriter(escapesHTML: false)
            json.object { json in
                json.key("batches")
                json.array { json in
                    for group in groups { OTLPTraceEncoder.write(group, &json) }
                }
            }
            return json.bytes
        }
    }
}

/// The two encodings of spans.
enum OTLPTraceEncoder {
    /// Spans with the same scope, in order of first appearance.
    static func byScope(_ spans: [TraceSpan]) -> [[TraceSpan]] {
        var indexes: [TraceSpan.Scope: Int] = [:]
        var result: [[TraceSpan]] = []
        for span in spans {
            if let index = indexes[span.scope] {
                result[index].append(span)
            } else {
                indexes[span.scope] = result.count
                result.append([span])
            }
        }
        return result
    }

    // MARK: Protobuf

    static func write(_ spans: [TraceSpan], _ writer: inout ProtobufWriter) {
        if let scope = spans.first?.scope {
            writer.message(1) { writer in
                writer.string(1, scope.name)
                writer.string(2, scope.version)
                for attribute in scope.attributes { write(attribute, 3, &writer) }
            }
        }
        for span in spans { writer.message(2) { write(span, &$0) } }
    }

    private static func write(_ span: TraceSpan, _ writer: inout ProtobufWriter) {
        writer.bytes(1, bytes(span.traceID))
        writer.bytes(2, bytes(span.spanID))
        writer.string(3, span.traceState)
        if !span.parentID.isNone { writer.bytes(4, bytes(span.parentID)) }
        writer.string(5, span.name)
        writer.uint64(6, UInt64(span.kind.rawValue))
        writer.fixed64(7, UInt64(clamping: span.start))
        writer.fixed64(8, UInt64(clamping: span.start.addingReportingOverflow(span.duration).partialValue))
        for attribute in span.attributes { write(attribute, 9, &writer) }
        writer.uint32(10, span.droppedAttributesCount)
        for event in span.events {
            writer.message(11) { writer in
                writer.fixed64(1, UInt64(clamping: event.timestamp))
                writer.string(2, event.name)
                for attribute in event.attributes { write(attribute, 3, &writer) }
                writer.uint32(4, event.droppedAttributesCount)
            }
        }
        writer.uint32(12, span.droppedEventsCount)
        for link in span.links {
            writer.message(13) { writer in
                writer.bytes(1, bytes(link.traceID))
                writer.bytes(2, bytes(link.spanID))
                writer.string(3, link.traceState)
                for attribute in link.attributes { write(attribute, 4, &writer) }
                writer.uint32(5, link.droppedAttributesCount)
                writer.fixed32(6, link.flags)
            }
        }
        writer.uint32(14, span.droppedLinksCount)
        if span.status != .unset || !span.statusMessage.isEmpty {
            writer.message(15) { writer in
                writer.string(2, span.statusMessage)
                writer.uint64(3, UInt64(span.status.rawValue))
            }
        }
        writer.fixed32(16, span.flags)
    }

    static func write(_ attribute: Attribute, _ number: Int, _ writer: inout ProtobufWriter) {
        writer.message(number) { writer in
            writer.string(1, attribute.name)
            writer.message(2) { write(attribute.value, &$0) }
        }
    }

    private static func write(_ value: AttributeValue, _ writer: inout ProtobufWriter) {
        switch value {
        case .empty: break
        case .string(let value): writer.string(1, value, always: true)
        case .bool(let value): writer.bool(2, value, always: true)
        case .int(let value): writer.int64(3, value, always: true)
        case .double(let value): writer.double(4, value, always: true)
        case .array(let elements):
            writer.message(5) { writer in
                for element in elements { writer.message(1) { write(element, &$0) } }
            }
        case .map(let attributes):
            writer.message(6) { writer in
                for attribute in attributes { write(attribute, 1, &writer) }
            }
        case .bytes(let value): writer.bytes(7, value, always: true)
        }
    }

    private static func bytes(_ id: TraceID) -> [UInt8] {
        withUnsafeBytes(of: id.high.bigEndian) { Array($0) } + withUnsafeBytes(of: id.low.bigEndian) { Array($0) }
    }

    private static func bytes(_ id: SpanID) -> [UInt8] {
        withUnsafeBytes(of: id.value.bigEndian) { Array($0) }
    }
}
