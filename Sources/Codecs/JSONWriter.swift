/// Writes JSON into bytes; commas come by themselves.
///
/// ```swift
/// var json = JSONWriter()
/// json.object { json in
///     json.field("status", "success")
///     json.key("data")
///     json.array { json in json.string("up") }
/// }
/// ```
package struct JSONWriter: Sendable {
    /// What has been written.
    package private(set) var bytes: [UInt8]
    /// Whether `<`, `>` and `&` are escaped, as Go's encoding/json does unless told otherwise (all of the peers' answers do).
    package let escapesHTML: Bool
    /// Whether a value stands before the cursor, so that a comma must come first.
    private var needsComma = false

    /// - Parameter reserved: room to make for the text at once, in bytes.
    package init(escapesHTML: Bool = true, reserving reserved: Int = 0) {
        self.escapesHTML = escapesHTML
        bytes = []
        bytes.reserveCapacity(reserved)
    }

    /// What has been written, as text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    // MARK: Containers

    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    /// Writes an object whose members `body` writes.
    package mutating func object<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
        beginObject()
        try body(&self)
        endObject()
    }

    /// Writes an array whose elements `body` writes.
    package mutating func array<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
        beginArray()
        try body(&self)
        endArray()
    }

    /// Writes an array of strings.
    package mutating func array(_ strings: some Sequence<String>) {
        beginArray()
        for string in strings { self.string(string) }
        endArray()
    }

    /// Writes a member's name; its value must follow.
    package mutating func key(_ name: String) {
        separate()
        appendQuoted(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    // MARK: Values

    package mutating func string(_ value: String) {
        separate()
        appendQuoted(value)
        needsComma = true
    }

    package mutating func bool(_ value: Bool) { token(value ? "true" : "false") }
    package mutating func null() { token("null") }
    package mutating func integer(_ value: some BinaryInteger) { token(String(value)) }

    /// Writes the shortest text that reads back as `value`. JSON has no NaN and no infinities: they become the strings that
    /// protobuf's mapping uses.
    package mutating func double(_ value: Double) {
        if value.isFinite {
            let text = value.description
            token(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
        } else {
            string(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
        }
    }

    /// Writes JSON that exists already, byte for byte.
    package mutating func raw(_ json: String) { token(json) }

    /// Writes JSON that exists already, byte for byte.
    package mutating func raw(_ json: [UInt8]) {
        separate()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    /// Writes a string that `body` appends as it is: nothing in it may need an escape.
    package mutating func plainString(_ body: (inout [UInt8]) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        body(&bytes)
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// Writes a number that `body` appends.
    package mutating func number(_ body: (inout [UInt8]) -> Void) {
        separate()
        body(&bytes)
        needsComma = true
    }

    package mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .number(let number): token(number.text)
        case .string(let text): string(text)
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element) }
            endArray()
        case .object(let object):
            beginObject()
            for member in object.members {
                key(member.name)
                self.value(member.value)
            }
            endObject()
        }
    }

    // MARK: Members

    package mutating func field(_ name: String, _ value: String) {
        key(name)
        string(value)
    }

    package mutating func field(_ name: String, _ value: Bool) {
        key(name)
        bool(value)
    }

    package mutating func field(_ name: String, _ value: some BinaryInteger) {
        key(name)
        integer(value)
    }

    package mutating func field(_ name: String, _ value: Double) {
        key(name)
        double(value)
    }

    package mutating func field(_ name: String, _ value: some Sequence<String>) {
        key(name)
        array(value)
    }

    // MARK: Bytes

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func token(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    /// The text in quotes, escaped as Go's encoding/json does.
    private mutating func appendQuoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var clean = 0  // where the bytes begin that need no escape and are not copied yet
            for index in utf8.indices {
                let byte = utf8[index]
                if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte != 0xe2 {
                    guard escapesHTML, byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "&")
                    else { continue }
                }
                // U+2028 and U+2029 (E2 80 A8, E2 80 A9), which JavaScript takes for line ends, are escaped always.
                if byte == 0xe2 {
                    guard index + 2 < utf8.count, utf8[index + 1] == 0x80, utf8[index + 2] & 0xfe == 0xa8 else { continue }
                    bytes.append(contentsOf: utf8[clean..<index])
                    bytes.append(contentsOf: utf8[index + 2] == 0xa8 ? "\\u2028".utf8 : "\\u2029".utf8)
                    clean = index + 3
                    continue
                }
                bytes.append(contentsOf: utf8[clean..<index])
                clean = index + 1
                appendEscape(byte)
            }
            bytes.append(contentsOf: utf8[clean...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func appendEscape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x0c: bytes.append(UInt8(ascii: "f"))
        case 0x0a: bytes.append(UInt8(ascii: "n"))
        case 0x0d: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        default:
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(Hex.digit(byte >> 4))
            bytes.append(Hex.digit(byte & 15))
        }
    }
}
