import Codecs
import Telemetry

/// What the three signals share in JSON.
enum OTLPJSON {
    static func attributes(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> [Attribute] {
        var attributes: [Attribute] = []
        try reader.beginArray(in: bytes)
        while try reader.nextElement(in: bytes) {
            var attribute = Attribute("", .empty)
            try reader.beginObject(in: bytes)
            while let name = try reader.nextField(in: bytes) {
                switch name {
                case "key": attribute.name = try reader.string(in: bytes)
                case "value": attribute.value = try value(&reader, bytes)
                default: try reader.skip(in: bytes)
                }
            }
            attributes.append(attribute)
        }
        return attributes
    }

    /// An `AnyValue`. Its depth is bounded by the reader's.
    static func value(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> AttributeValue {
        var value = AttributeValue.empty
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "stringValue": value = .string(try reader.string(in: bytes))
            case "boolValue": value = .bool(try reader.bool(in: bytes))
            case "intValue": value = .int(try reader.int64("AnyValue.intValue", in: bytes))
            case "doubleValue": value = .double(try reader.double("AnyValue.doubleValue", in: bytes))
            case "bytesValue": value = .bytes(try reader.base64("AnyValue.bytesValue", in: bytes))
            case "arrayValue": value = .array(try elements(&reader, bytes))
            case "kvlistValue": value = .map(try members(&reader, bytes))
            default: try reader.skip(in: bytes)
            }
        }
        return value
    }

    private static func elements(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> [AttributeValue] {
        var elements: [AttributeValue] = []
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            guard name == "values" else {
                try reader.skip(in: bytes)
                continue
            }
            try reader.beginArray(in: bytes)
            while try reader.nextElement(in: bytes) { elements.append(try value(&reader, bytes)) }
        }
        return elements
    }

    private static func members(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> [Attribute] {
        var members: [Attribute] = []
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            if name == "values" { members = try attributes(&reader, bytes) } else { try reader.skip(in: bytes) }
        }
        return members
    }

    static func resource(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> Resource {
        var resource = Resource()
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            if name == "attributes" {
                resource.attributes = try attributes(&reader, bytes)
            } else {
                try reader.skip(in: bytes)
            }
        }
        return resource
    }

    static func scope(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> OTLPScope {
        var scope = OTLPScope()
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "name": scope.name = try reader.string(in: bytes)
            case "version": scope.version = try reader.string(in: bytes)
            case "attributes": scope.attributes = try attributes(&reader, bytes)
            default: try reader.skip(in: bytes)
            }
        }
        return scope
    }
}
