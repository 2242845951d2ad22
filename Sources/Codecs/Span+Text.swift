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
        extracting(range).withUnsafeBufferPointer { String(validating: $0, as: UTF8.self) }
    }

    /// Whether the bytes of `range` are exactly those of `text`.
    package func holds(_ text: StaticString, at range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        // SAFETY: a static string's bytes live as long as the process; the index stays below its count.
        let start = text.utf8Start
        for index in 0..<range.count where self[range.lowerBound + index] != start[index] { return false }
        return true
    }

    /// The offset in `range` of the first invalid UTF-8, for an error message.
    package func firstInvalidUTF8(_ range: Range<Int>) -> Int? {
        var decoder = UTF8()
        var index = range.lowerBound
        var iterator = copied(range).makeIterator()
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): index += UTF8.width(scalar)
            case .emptyInput: return nil
            case .error: return index
            }
        }
    }
}
