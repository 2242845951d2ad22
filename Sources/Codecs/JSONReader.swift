/// A cursor over JSON (RFC 8259): pulls one token after the other, so that a decoder builds what it wants and nothing between.
///
/// It holds a place only; the bytes are handed to each call, and every call must get the same. Text must be UTF-8; an escape
/// that names half a surrogate pair reads as U+FFFD, as in Go. Numbers keep every digit (``JSONNumber``).
///
/// ```swift
/// var reader = JSONReader(bytes)
/// try reader.beginObject(in: bytes)
/// while let name = try reader.nextName(in: bytes) {
///     if name == "streams" { … } else { try reader.skip(in: bytes) }
/// }
/// try reader.finish(in: bytes)
/// ```
package struct JSONReader: Sendable {
    /// How deep arrays and objects may nest. Recursive readers stay far from a thread's stack.
    package static let depthMax = 128

    package enum Kind: Sendable, Hashable {
        case object, array, string, number, bool, null
    }

    /// Where the cursor is.
    package internal(set) var offset: Int
    let end: Int
    /// How many arrays and objects are open.
    private var depth = 0
    /// Whether a value stands before the cursor in the innermost array or object, so that a comma or its end must follow.
    private var isAfterValue = false

    package init(_ bytes: Span<UInt8>) {
        offset = 0
        end = bytes.count
    }

    // MARK: Looking ahead

    /// What the next value is, by its first byte. Moves over white space only.
    package mutating func kind(in bytes: Span<UInt8>) throws(DecodeError) -> Kind {
        skipSpace(bytes)
        guard offset < end else { throw error("the text ends where a value should stand") }
        switch bytes[offset] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        default: throw unexpected(bytes, "a value")
        }
    }

    /// Steps over the next value if it is `null`.
    package mutating func skipNull(in bytes: Span<UInt8>) throws(DecodeError) -> Bool {
        guard try kind(in: bytes) == .null else { return false }
        try literal("null", bytes)
        return true
    }

    // MARK: Containers

    package mutating func beginObject(in bytes: Span<UInt8>) throws(DecodeError) {
        try open(UInt8(ascii: "{"), "an object", bytes)
    }

    package mutating func beginArray(in bytes: Span<UInt8>) throws(DecodeError) {
        try open(UInt8(ascii: "["), "an array", bytes)
    }

    /// Moves to the next element of the innermost array; false, and out of it, at its end.
    package mutating func nextElement(in bytes: Span<UInt8>) throws(DecodeError) -> Bool {
        try !isAtEnd(UInt8(ascii: "]"), "an array", bytes)
    }

    /// Reads the next member's name and moves to its value; nil, and out of the object, at its end.
    package mutating func nextName(in bytes: Span<UInt8>) throws(DecodeError) -> String? {
        guard let range = try nextNameRange(in: bytes) else { return nil }
        return try text(range, bytes)
    }

    /// As ``nextName(in:)``, but only where the name stands, without its quotes.
    package mutating func nextNameRange(in bytes: Span<UInt8>) throws(DecodeError) -> StringRange? {
        guard try !isAtEnd(UInt8(ascii: "}"), "an object", bytes) else { return nil }
        guard offset < end, bytes[offset] == UInt8(ascii: "\"") else { throw unexpected(bytes, "a member's name") }
        let range = try scanString(bytes)
        skipSpace(bytes)
        guard offset < end, bytes[offset] == UInt8(ascii: ":") else { throw unexpected(bytes, "a colon") }
        offset += 1
        skipSpace(bytes)
        return range
    }

    // MARK: Values

    package mutating func string(in bytes: Span<UInt8>) throws(DecodeError) -> String {
        try expect(.string, bytes)
        let range = try scanString(bytes)
        isAfterValue = true
        return try text(range, bytes)
    }

    package mutating func number(in bytes: Span<UInt8>) throws(DecodeError) -> JSONNumber {
        try expect(.number, bytes)
        let range = try scanNumber(bytes)
        isAfterValue = true
        return JSONNumber(text: bytes.text(range))
    }

    package mutating func bool(in bytes: Span<UInt8>) throws(DecodeError) -> Bool {
        try expect(.bool, bytes)
        let value = bytes[offset] == UInt8(ascii: "t")
        try literal(value ? "true" : "false", bytes)
        return value
    }

    /// Reads the next value whatever it is, with all that it holds.
    package mutating func value(in bytes: Span<UInt8>) throws(DecodeError) -> JSONValue {
        switch try kind(in: bytes) {
        case .null:
            try literal("null", bytes)
            return .null
        case .bool: return .bool(try bool(in: bytes))
        case .number: return .number(try number(in: bytes))
        case .string: return .string(try string(in: bytes))
        case .array:
            var elements: [JSONValue] = []
            try beginArray(in: bytes)
            while try nextElement(in: bytes) { elements.append(try value(in: bytes)) }
            return .array(elements)
        case .object:
            var object = JSONObject()
            try beginObject(in: bytes)
            while let name = try nextName(in: bytes) {
                object.members.append(JSONObject.Member(name: name, value: try value(in: bytes)))
            }
            return .object(object)
        }
    }

    /// Steps over the next value, whatever it is; checks its grammar all the same.
    package mutating func skip(in bytes: Span<UInt8>) throws(DecodeError) {
        switch try kind(in: bytes) {
        case .null: try literal("null", bytes)
        case .bool: _ = try bool(in: bytes)
        case .number:
            _ = try scanNumber(bytes)
            isAfterValue = true
        case .string:
            _ = try scanString(bytes)
            isAfterValue = true
        case .array:
            try beginArray(in: bytes)
            while try nextElement(in: bytes) { try skip(in: bytes) }
        case .object:
            try beginObject(in: bytes)
            while try nextNameRange(in: bytes) != nil { try skip(in: bytes) }
        }
    }

    /// Checks that nothing but white space is left.
    package mutating func finish(in bytes: Span<UInt8>) throws(DecodeError) {
        skipSpace(bytes)
        if offset < end { throw unexpected(bytes, "the end of the text") }
    }

    // MARK: Steps

    private mutating func open(_ bracket: UInt8, _ expected: String, _ bytes: Span<UInt8>) throws(DecodeError) {
        skipSpace(bytes)
        guard offset < end, bytes[offset] == bracket else { throw unexpected(bytes, expected) }
        guard depth < JSONReader.depthMax else { throw error("arrays and objects nest deeper than \(JSONReader.depthMax)") }
        offset += 1
        depth += 1
        isAfterValue = false
    }

    /// Moves over the comma before an element, or over the closing bracket.
    private mutating func isAtEnd(_ bracket: UInt8, _ name: String, _ bytes: Span<UInt8>) throws(DecodeError) -> Bool {
        skipSpace(bytes)
        guard offset < end else { throw error("the text ends within \(name)") }
        if bytes[offset] == bracket {
            offset += 1
            depth -= 1
            isAfterValue = true
            return true
        }
        if isAfterValue {
            guard bytes[offset] == UInt8(ascii: ",") else { throw unexpected(bytes, "a comma or the end of \(name)") }
            offset += 1
            skipSpace(bytes)
            if offset < end, bytes[offset] == bracket { throw unexpected(bytes, "a value after the comma") }
            isAfterValue = false
        }
        return false
    }

    private mutating func expect(_ expected: Kind, _ bytes: Span<UInt8>) throws(DecodeError) {
        let found = try kind(in: bytes)
        guard found == expected else { throw error("expected a \(expected), found a \(found)") }
    }

    private mutating func literal(_ text: StaticString, _ bytes: Span<UInt8>) throws(DecodeError) {
        let after = offset + text.utf8CodeUnitCount
        guard after <= end, bytes.holds(text, at: offset..<after) else { throw unexpected(bytes, "\(text)") }
        offset = after
        isAfterValue = true
    }

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while offset < end {
            switch bytes[offset] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "\r"): offset += 1
            default: return
            }
        }
    }

    func error(_ message: String) -> DecodeError {
        DecodeError(offset: offset, message)
    }

    func unexpected(_ bytes: Span<UInt8>, _ expected: String) -> DecodeError {
        guard offset < end else { return error("the text ends, expected \(expected)") }
        let byte = bytes[offset]
        let found = byte > 0x20 && byte < 0x7f ? "'\(Character(UnicodeScalar(byte)))'" : "byte 0x" + String(byte, radix: 16)
        return error("found \(found), expected \(expected)")
    }
}
