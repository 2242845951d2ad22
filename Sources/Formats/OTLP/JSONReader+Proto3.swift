import Codecs
import Telemetry

/// Proto3's JSON mapping (protobuf.dev, "ProtoJSON Format"): what a parser must accept.
extension JSONReader {
    /// The next member's name in lowerCamelCase; nil at the object's end. Parsers must take the proto file's own snake_case names
    /// too, and `null` as "not set".
    mutating func nextField(in bytes: Span<UInt8>) throws(DecodeError) -> String? {
        while let name = try nextName(in: bytes) {
            if try skipNull(in: bytes) { continue }
            return name.utf8.contains(UInt8(ascii: "_")) ? Self.camelCase(name) : name
        }
        return nil
    }

    private static func camelCase(_ name: String) -> String {
        var result: [UInt8] = []
        var isUpper = false
        for byte in name.utf8 {
            if byte == UInt8(ascii: "_") {
                isUpper = true
            } else {
                result.append(isUpper && byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") ? byte - 32 : byte)
                isUpper = false
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// A 64-bit integer: a number or a string that holds one.
    mutating func int64(_ field: StaticString, in bytes: Span<UInt8>) throws(DecodeError) -> Int64 {
        let (number, offset) = try numberText(in: bytes)
        guard let value = number.int64 else { throw unfit(number, "a 64-bit integer", field, offset) }
        return value
    }

    mutating func uint64(_ field: StaticString, in bytes: Span<UInt8>) throws(DecodeError) -> UInt64 {
        let (number, offset) = try numberText(in: bytes)
        guard let value = number.uint64 else { throw unfit(number, "an unsigned 64-bit integer", field, offset) }
        return value
    }

    mutating func uint32(_ field: StaticString, in bytes: Span<UInt8>) throws(DecodeError) -> UInt32 {
        let (number, offset) = try numberText(in: bytes)
        guard let value = number.uint64.flatMap(UInt32.init(exactly:)) else {
            throw unfit(number, "an unsigned 32-bit integer", field, offset)
        }
        return value
    }

    mutating func int32(_ field: StaticString, in bytes: Span<UInt8>) throws(DecodeError) -> Int32 {
        let (number, offset) = try numberText(in: bytes)
        guard let value = number.int64.flatMap(Int32.init(exactly:)) else {
            throw unfit(number, "a 32-bit integer", field, offset)
        }
        return value
    }

    /// Nanoseconds since the epoch; later times than 2262 become the last that fits.
    mutating func time(_ field: StaticString, in bytes: Span<UInt8>) throws(DecodeError) -> Int64 {
        Int64(clamping: try uint64(field, in: bytes))
    }

    /// A double: a number, a string that holds one, or "NaN", "Infinity", "-Infinity".
    mutating func double(_ field: StaticString, in bytes: Span<UInt8>) throws(DecodeError) -> Double {
        if try kind(in: bytes) == .number { return try number(in: bytes).double }
        let place = offset
        let text = try string(in: bytes)
        let utf8 = Array(text.utf8)
        guard let value = DecimalNumber.parse(utf8.span, 0..<utf8.count) else {
            throw unfit(JSONNumber(text: text), "a number", field, place)
        }
        return value
    }

    /// An enum's number, or its name out of `names`, whose index is its number.
    mutating func enumeration(
        _ field: StaticString, _ names: [String], in bytes: Span<UInt8>
    ) throws(DecodeError) -> Int {
        let kind = try kind(in: bytes)
        let place = offset
        if kind == .string {
            let name = try string(in: bytes)
            if let index = names.firstIndex(of: name) { return index }
            if let number = Int(name) { return number }
            throw DecodeError(offset: place, field: "\(field)", "\"\(name.prefix(60))\" is no value of this enumeration")
        }
        return Int(clamping: try int64(field, in: bytes))
    }

    mutating func base64(_ field: StaticString, in bytes: Span<UInt8>) throws(DecodeError) -> [UInt8] {
        let kind = try kind(in: bytes)
        let place = offset
        guard kind == .string, let value = Base64.decode(try string(in: bytes)) else {
            throw DecodeError(offset: place, field: "\(field)", "expected bytes in base64")
        }
        return value
    }

    /// A trace's id of 32 hexadecimal digits, the empty string as "none"; nil for anything else.
    mutating func traceID(in bytes: Span<UInt8>) throws(DecodeError) -> TraceID? {
        let text = try string(in: bytes)
        if text.isEmpty { return TraceID.none }
        return text.utf8.count == 32 ? TraceID(hex: text) : nil
    }

    /// A span's id of 16 hexadecimal digits, the empty string as "none"; nil for anything else.
    mutating func spanID(in bytes: Span<UInt8>) throws(DecodeError) -> SpanID? {
        let text = try string(in: bytes)
        if text.isEmpty { return SpanID.none }
        return text.utf8.count == 16 ? SpanID(hex: text) : nil
    }

    private mutating func numberText(in bytes: Span<UInt8>) throws(DecodeError) -> (JSONNumber, offset: Int) {
        let kind = try kind(in: bytes)
        let place = offset
        return (kind == .string ? JSONNumber(text: try string(in: bytes)) : try number(in: bytes), place)
    }

    private func unfit(_ number: JSONNumber, _ expected: String, _ field: StaticString, _ offset: Int) -> DecodeError {
        DecodeError(offset: offset, field: "\(field)", "expected \(expected), found \"\(number.text.prefix(40))\"")
    }
}
