extension JSONReader {
    /// Where a string's content stands, without its quotes.
    package struct StringRange: Sendable {
        package var range: Range<Int>
        /// Whether it holds escapes, so that its bytes are not yet its text.
        package var hasEscapes: Bool
    }

    /// Moves over the string at the cursor.
    mutating func scanString(_ bytes: Span<UInt8>) throws(DecodeError) -> StringRange {
        let start = offset + 1
        var index = start
        var hasEscapes = false
        while index < end {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                offset = index + 1
                return StringRange(range: start..<index, hasEscapes: hasEscapes)
            }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                index += 2
                continue
            }
            if byte < 0x20 {
                offset = index
                throw unexpected(bytes, "it escaped within a string")
            }
            index += 1
        }
        throw error("a string has no end")
    }

    /// The text of a string that was scanned.
    package func text(_ string: StringRange, _ bytes: Span<UInt8>) throws(DecodeError) -> String {
        if !string.hasEscapes {
            if let text = bytes.validText(string.range) { return text }
            throw invalidText(string, bytes)
        }
        var unescaped: [UInt8] = []
        unescaped.reserveCapacity(string.range.count)
        var index = string.range.lowerBound
        while index < string.range.upperBound {
            let byte = bytes[index]
            index += 1
            if byte != UInt8(ascii: "\\") {
                unescaped.append(byte)
                continue
            }
            let escape = bytes[index]  // `scanString` stepped over it: it lies before the closing quote
            index += 1
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(escape)
            case UInt8(ascii: "b"): unescaped.append(0x08)
            case UInt8(ascii: "f"): unescaped.append(0x0c)
            case UInt8(ascii: "n"): unescaped.append(0x0a)
            case UInt8(ascii: "r"): unescaped.append(0x0d)
            case UInt8(ascii: "t"): unescaped.append(0x09)
            case UInt8(ascii: "u"):
                let scalar = try unicodeEscape(string.range.upperBound, &index, bytes)
                unescaped.append(contentsOf: Unicode.UTF8.encode(scalar).unsafelyUnwrapped)
            default:
                throw DecodeError(offset: index - 2, "unknown escape in a string")
            }
        }
        guard let text = unescaped.span.validText(0..<unescaped.count) else { throw invalidText(string, bytes) }
        return text
    }

    private func invalidText(_ string: StringRange, _ bytes: Span<UInt8>) -> DecodeError {
        let offset = bytes.firstInvalidUTF8(string.range) ?? string.range.lowerBound
        return DecodeError(offset: offset, "a string is not valid UTF-8")
    }

    /// The scalar of `\uXXXX`, or of two that make a surrogate pair; half a pair is U+FFFD.
    private func unicodeEscape(
        _ stringEnd: Int, _ index: inout Int, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> Unicode.Scalar {
        let first = try hex4(stringEnd, &index, bytes)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xdc00, index + 6 <= stringEnd, bytes[index] == UInt8(ascii: "\\"),
            bytes[index + 1] == UInt8(ascii: "u")
        else { return "\u{fffd}" }
        var after = index + 2
        let second = try hex4(stringEnd, &after, bytes)
        guard (0xdc00..<0xe000).contains(second) else { return "\u{fffd}" }
        index = after
        return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00)) ?? "\u{fffd}"
    }

    private func hex4(_ stringEnd: Int, _ index: inout Int, _ bytes: Span<UInt8>) throws(DecodeError) -> UInt32 {
        guard index + 4 <= stringEnd else { throw DecodeError(offset: index, "a \\u escape is cut short") }
        var value = UInt32(0)
        for _ in 0..<4 {
            guard let digit = Hex.value(bytes[index]) else {
                throw DecodeError(offset: index, "a \\u escape holds no hexadecimal digit here")
            }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }

    /// Moves over the number at the cursor, by RFC 8259's grammar.
    mutating func scanNumber(_ bytes: Span<UInt8>) throws(DecodeError) -> Range<Int> {
        let start = offset
        if bytes[offset] == UInt8(ascii: "-") { offset += 1 }
        if offset < end, bytes[offset] == UInt8(ascii: "0") {
            offset += 1
        } else {
            try scanDigits(bytes)
        }
        if offset < end, bytes[offset] == UInt8(ascii: ".") {
            offset += 1
            try scanDigits(bytes)
        }
        if offset < end, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if offset < end, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-") { offset += 1 }
            try scanDigits(bytes)
        }
        return start..<offset
    }

    private mutating func scanDigits(_ bytes: Span<UInt8>) throws(DecodeError) {
        let start = offset
        while offset < end, bytes[offset] >= UInt8(ascii: "0"), bytes[offset] <= UInt8(ascii: "9") { offset += 1 }
        if offset == start { throw unexpected(bytes, "a digit") }
    }
}
