extension Span<UInt8> {
    /// A copy of all bytes.
    package var copied: [UInt8] { copied(0..<count) }

    /// A copy of the bytes of `range`.
    package func copied(_ range: Range<Int>) -> [UInt8] {
        extracting(range).withUnsafeBufferPointer { [UInt8]($0) }
    }

    /// The bytes of `range` as text; U+FFFD for what is no UTF-8.
    package func text(_ range: Range<Int>) -> String {
        extracting(range).withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes of `range` as text; nil where they are no UTF-8.
    package func validText(_ range: Range<Int>) -> String? {
        // The standard library's validating initialiser looks up generic metadata for each string, which took half of the time of
        // decoding a remote write request.
        firstInvalidUTF8(range) == nil ? text(range) : nil
    }

    /// Whether the bytes of `range` are exactly those of `text`.
    package func holds(_ text: StaticString, at range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        // SAFETY: a static string's bytes live as long as the process; the index stays below its count.
        let start = text.utf8Start
        for index in 0..<range.count where self[range.lowerBound + index] != start[index] { return false }
        return true
    }

    /// Where the first byte stands that is no UTF-8 (the start of the sequence that is broken); nil where all is
    /// (The Unicode Standard, table 3-7).
    package func firstInvalidUTF8(_ range: Range<Int>) -> Int? {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        var index = range.lowerBound
        let end = range.upperBound
        while index < end {
            let byte = self[index]
            if byte < 0x80 {
                // Text is mostly ASCII: eight bytes at a time.
                while index + 8 <= end, littleEndian64(at: index) & 0x8080_8080_8080_8080 == 0 { index += 8 }
                while index < end, self[index] < 0x80 { index += 1 }
                continue
            }
            // What may follow the first byte: the second one has bounds of its own, all others are 80…BF.
            let length: Int
            var second: ClosedRange<UInt8> = 0x80...0xbf
            switch byte {
            case 0xc2...0xdf: length = 2
            case 0xe0: (length, second) = (3, 0xa0...0xbf)
            case 0xed: (length, second) = (3, 0x80...0x9f)
            case 0xe1...0xef: length = 3
            case 0xf0: (length, second) = (4, 0x90...0xbf)
            case 0xf1...0xf3: length = 4
            case 0xf4: (length, second) = (4, 0x80...0x8f)
            default: return index
            }
            guard index + length <= end, second.contains(self[index + 1]) else { return index }
            for offset in 2..<max(2, length) where self[index + offset] & 0xc0 != 0x80 { return index }
            index += length
        }
        return nil
    }
}
