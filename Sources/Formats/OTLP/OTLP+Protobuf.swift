import Codecs
import Telemetry

/// What the three signals share in protobuf (common.proto, resource.proto).
enum OTLPProtobuf {
    static func attribute(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> Attribute {
        var texts = TextCache()
        return try attribute(message, bytes, &texts)
    }

    /// - Parameter texts: those of the message that came before.
    static func attribute(
        _ message: ProtobufReader, _ bytes: Span<UInt8>, _ texts: inout TextCache, depth: Int = 0
    ) throws(DecodeError) -> Attribute {
        var reader = message
        var attribute = Attribute("", .empty)
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: attribute.name = try texts.string(field, "KeyValue.key", bytes)
            case 2: attribute.value = try value(try field.message("KeyValue.value"), bytes, &texts, depth: depth)
            default: break
            }
        }
        return attribute
    }

    /// An `AnyValue`. Of several fields of its oneof the last counts, as protobuf has it.
    static func value(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> AttributeValue {
        var texts = TextCache()
        return try value(message, bytes, &texts)
    }

    static func value(
        _ message: ProtobufReader, _ bytes: Span<UInt8>, _ texts: inout TextCache, depth: Int = 0
    ) throws(DecodeError) -> AttributeValue {
        guard depth < ProtobufReader.depthMax else {
            throw DecodeError(
                offset: message.offset, field: "AnyValue", "values nest deeper than \(ProtobufReader.depthMax)")
        }
        var reader = message
        var value = AttributeValue.empty
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: value = .string(try texts.string(field, "AnyValue.string_value", bytes))
            case 2: value = .bool(try field.bool("AnyValue.bool_value"))
            case 3: value = .int(try field.int64("AnyValue.int_value"))
            case 4: value = .double(try field.double("AnyValue.double_value"))
            case 5:
                var elements: [AttributeValue] = []
                var array = try field.message("AnyValue.array_value")
                while let field = try array.next(in: bytes) {
                    guard field.number == 1 else { continue }
                    elements.append(try self.value(try field.message("ArrayValue.values"), bytes, &texts, depth: depth + 1))
                }
                value = .array(elements)
            case 6:
                var attributes: [Attribute] = []
                var map = try field.message("AnyValue.kvlist_value")
                while let field = try map.next(in: bytes) {
                    guard field.number == 1 else { continue }
                    attributes.append(try attribute(try field.message("KeyValueList.values"), bytes, &texts, depth: depth + 1))
                }
                value = .map(attributes)
            case 7: value = .bytes(try field.bytes("AnyValue.bytes_value", in: bytes))
            default: break
            }
        }
        return value
    }

    static func resource(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> Resource {
        var reader = message
        var resource = Resource()
        while let field = try reader.next(in: bytes) {
            guard field.number == 1 else { continue }
            resource.attributes.append(try attribute(try field.message("Resource.attributes"), bytes))
        }
        return resource
    }

    static func scope(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> OTLPScope {
        var reader = message
        var scope = OTLPScope()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: scope.name = try field.string("InstrumentationScope.name", in: bytes)
            case 2: scope.version = try field.string("InstrumentationScope.version", in: bytes)
            case 3:
                scope.attributes.append(try attribute(try field.message("InstrumentationScope.attributes"), bytes))
            default: break
            }
        }
        return scope
    }

    /// 16 bytes as a trace's id, none as "none"; nil for any other length.
    static func traceID(
        _ field: ProtobufField, _ name: StaticString, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> TraceID? {
        let range = try field.range(name)
        if range.isEmpty { return TraceID.none }
        guard range.count == 16 else { return nil }
        return TraceID(
            high: bytes.littleEndian64(at: range.lowerBound).byteSwapped,
            low: bytes.littleEndian64(at: range.lowerBound + 8).byteSwapped)
    }

    /// 8 bytes as a span's id, none as "none"; nil for any other length.
    static func spanID(
        _ field: ProtobufField, _ name: StaticString, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> SpanID? {
        let range = try field.range(name)
        if range.isEmpty { return SpanID.none }
        guard range.count == 8 else { return nil }
        return SpanID(bytes.littleEndian64(at: range.lowerBound).byteSwapped)
    }

    /// Nanoseconds since the epoch; later times than 2262 become the last that fits.
    static func time(_ field: ProtobufField, _ name: StaticString) throws(DecodeError) -> Int64 {
        Int64(clamping: try field.fixed64(name))
    }
}
