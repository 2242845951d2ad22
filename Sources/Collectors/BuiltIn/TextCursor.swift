/// Walks the lines of a text and the fields of each line, fields being what stands between blanks. Nothing is copied but what is asked
/// for as a `String`.
struct TextCursor {
    private let bytes: [UInt8]
    /// Where the line that is walked ends, and the next one after it begins.
    private var end = 0
    private var next = 0
    private var offset = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Moves to the next line that is not empty.
    ///
    /// - Returns: false at the end of the text.
    mutating func nextLine() -> Bool {
        while next < bytes.count {
            offset = next
            end = offset
            while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
            next = end + 1
            if end > offset { return true }
        }
        (offset, end) = (bytes.count, bytes.count)
        return false
    }

    /// The next field of the line; nil at its end.
    mutating func field() -> Range<Int>? {
        while offset < end, Self.isBlank(bytes[offset]) { offset += 1 }
        guard offset < end else { return nil }
        let start = offset
        while offset < end, !Self.isBlank(bytes[offset]) { offset += 1 }
        return start..<offset
    }

    mutating func text() -> String? { field().map { text($0) } }

    /// The next field as a number: digits, a sign, a decimal point; nil where the line ends or the field is none.
    mutating func number() -> Double? { field().flatMap { number($0) } }

    /// Passes over fields.
    mutating func skip(_ count: Int) {
        for _ in 0..<count { _ = field() }
    }

    /// What is left of the line, without blanks before it.
    mutating func rest() -> Range<Int> {
        while offset < end, Self.isBlank(bytes[offset]) { offset += 1 }
        defer { offset = end }
        return offset..<end
    }

    /// The line from here up to `byte`, which is passed; nil, and nothing passed, where the line lacks it.
    mutating func upTo(_ byte: Unicode.Scalar) -> Range<Int>? {
        let stop = UInt8(ascii: byte)
        while offset < end, Self.isBlank(bytes[offset]) { offset += 1 }
        var position = offset
        while position < end, bytes[position] != stop { position += 1 }
        guard position < end else { return nil }
        defer { offset = position + 1 }
        return offset..<position
    }

    func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    func number(_ range: Range<Int>) -> Double? {
        var value: UInt64 = 0
        var position = range.lowerBound
        let isNegative = position < range.upperBound && bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        guard position < range.upperBound else { return nil }
        while position < range.upperBound {
            let digit = bytes[position] &- UInt8(ascii: "0")
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            // Fractions, exponents and numbers beyond 64 bits are rare here: the library reads them.
            guard digit < 10, !overflows, product <= UInt64.max - UInt64(digit) else { return Double(text(range)) }
            value = product + UInt64(digit)
            position += 1
        }
        return isNegative ? -Double(value) : Double(value)
    }

    /// A number of base 16 without prefix.
    func hexadecimal(_ range: Range<Int>) -> Double? {
        UInt64(text(range), radix: 16).map { Double($0) }
    }

    func equals(_ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        return hasPrefix(range, text)
    }

    func hasPrefix(_ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count >= text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { prefix in
            for index in prefix.indices where bytes[range.lowerBound + index] != prefix[index] { return false }
            return true
        }
    }

    func byte(_ position: Int) -> UInt8 { bytes[position] }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }
}
