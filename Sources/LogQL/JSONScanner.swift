/// Why a line is no JSON that a stage can use.
struct JSONFault: Error {
    var message: String
    var offset: Int

    // The words of Loki's parser (jsonparser).
    static let malformed = "Malformed JSON error"
    static let openString = "Value is string, but can't find closing '\"' symbol"
    static let openArray = "Value is array, but can't find closing ']' symbol"
    static let openObject = "Value looks like object, but can't find closing '}' symbol"
    static let unknownValue = "Unknown value type"
}

/// Walks over the bytes of a JSON text without building anything.
struct JSONScanner {
    private let bytes: ArraySlice<UInt8>
    private(set) var position: Int

    /// Deeper objects than that are refused: a line must not exhaust the stack.
    private static let depthMax = 128

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// The byte at hand; 0 at the end.
    var byte: UInt8 { position < bytes.endIndex ? bytes[position] : 0 }

    var isAtEnd: Bool { position >= bytes.endIndex }

    mutating func advance() { position += 1 }

    /// Skips an object or an array that begins here, without a look at what it holds; false where it does not end, and then the position is
    /// the end.
    mutating func skipBlock(_ open: UInt8, _ close: UInt8) -> Bool {
        var level = 0
        while position < bytes.endIndex {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                while position < bytes.endIndex, bytes[position] != UInt8(ascii: "\"") {
                    position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
                }
                position = min(position + 1, bytes.endIndex)
                continue
            case open: level += 1
            case close:
                level -= 1
                if level == 0 {
                    position += 1
                    return true
                }
            default: break
            }
            position += 1
        }
        return false
    }

    /// Skips a number, `true`, `false` or `null`: everything up to a blank, a comma or the end of an object or array. nil where it begins like
    /// none of them.
    mutating func plainValue() -> (range: Range<Int>, isNull: Bool)? {
        let start = position
        loop: while position < bytes.endIndex {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d, UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"): break loop
            default: position += 1
            }
        }
        guard position > start else { return nil }
        let word = bytes[start..<position]
        switch bytes[start] {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): return (start..<position, false)
        case UInt8(ascii: "t"): return word.elementsEqual("true".utf8) ? (start..<position, false) : nil
        case UInt8(ascii: "f"): return word.elementsEqual("false".utf8) ? (start..<position, false) : nil
        case UInt8(ascii: "n"): return word.elementsEqual("null".utf8) ? (start..<position, true) : nil
        default: return nil
        }
    }

    mutating func skipBlanks() {
        while position < bytes.endIndex {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }

    func fault(_ message: String) -> JSONFault { JSONFault(message: message, offset: position - bytes.startIndex) }

    mutating func expect(_ wanted: UInt8) throws(JSONFault) {
        guard byte == wanted, position < bytes.endIndex else { throw fault("expected '\(Character(Unicode.Scalar(wanted)))'") }
        position += 1
    }

    /// Skips a string; its bytes between the quotes, and whether there are escapes in it.
    mutating func string() throws(JSONFault) -> (range: Range<Int>, isEscaped: Bool) {
        try expect(UInt8(ascii: "\""))
        let start = position
        var isEscaped = false
        while position < bytes.endIndex {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return (start..<position - 1, isEscaped)
            case UInt8(ascii: "\\"):
                isEscaped = true
                position = min(position + 2, bytes.endIndex)
            default: position += 1
            }
        }
        position = bytes.endIndex
        throw fault("a string is not closed")
    }

    /// Skips a string.
    ///
    /// - Parameter message: what one without an end is called.
    mutating func string(otherwise message: String) throws(JSONFault) -> (range: Range<Int>, isEscaped: Bool) {
        do throws(JSONFault) { return try string() } catch { throw fault(message) }
    }

    /// Skips the name of an object's member, and the colon behind it.
    mutating func memberName() throws(JSONFault) -> (range: Range<Int>, isEscaped: Bool) {
        guard byte == UInt8(ascii: "\"") else { throw fault(JSONFault.openObject) }
        let name = try string(otherwise: JSONFault.malformed)
        skipBlanks()
        guard byte == UInt8(ascii: ":") else { throw fault(JSONFault.malformed) }
        advance()
        return name
    }

    /// Skips what stands between a member's value and the next member, or the end of the object.
    mutating func endMember() throws(JSONFault) {
        skipBlanks()
        if isAtEnd { throw fault(JSONFault.openArray) }
        if byte == UInt8(ascii: ",") {
            advance()
            skipBlanks()
            if isAtEnd { throw fault(JSONFault.openArray) }
        } else if byte != UInt8(ascii: "}") {
            throw fault(JSONFault.openObject)
        }
    }

    /// Skips a value as Loki's parser does: without a look at what objects and arrays hold. nil for `null`.
    mutating func looseValue() throws(JSONFault) -> (range: Range<Int>, isString: Bool, isEscaped: Bool)? {
        skipBlanks()
        let start = position
        switch byte {
        case UInt8(ascii: "\""):
            let (range, isEscaped) = try string(otherwise: JSONFault.openString)
            return (range, true, isEscaped)
        case UInt8(ascii: "{"):
            guard skipBlock(UInt8(ascii: "{"), UInt8(ascii: "}")) else { throw fault(JSONFault.openObject) }
        case UInt8(ascii: "["):
            guard skipBlock(UInt8(ascii: "["), UInt8(ascii: "]")) else { throw fault(JSONFault.openArray) }
        default:
            if isAtEnd { throw fault(JSONFault.malformed) }
            guard let (range, isNull) = plainValue() else { throw fault(JSONFault.unknownValue) }
            return isNull ? nil : (range, false, false)
        }
        return (start..<position, false, false)
    }

    /// Skips a number, `true`, `false` or `null`.
    mutating func word() throws(JSONFault) -> Range<Int> {
        let start = position
        while position < bytes.endIndex {
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
                position += 1
            default:
                guard position > start else { throw fault("expected a value") }
                return try checked(start..<position)
            }
        }
        guard position > start else { throw fault("expected a value") }
        return try checked(start..<position)
    }

    private func checked(_ range: Range<Int>) throws(JSONFault) -> Range<Int> {
        switch bytes[range.lowerBound] {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): return range
        default:
            let word = bytes[range]
            guard word.elementsEqual("true".utf8) || word.elementsEqual("false".utf8) || word.elementsEqual("null".utf8) else {
                throw JSONFault(message: "unknown value \(text(range))", offset: range.lowerBound - bytes.startIndex)
            }
            return range
        }
    }

    /// Skips a whole value; its bytes.
    mutating func skipValue(depth: Int = 0) throws(JSONFault) -> Range<Int> {
        skipBlanks()
        let start = position
        switch byte {
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard depth < Self.depthMax else { throw fault("nested too deep") }
            let close = byte == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: "]")
            advance()
            skipBlanks()
            if byte == close {
                advance()
                return start..<position
            }
            while true {
                if close == UInt8(ascii: "}") { try name() }
                _ = try skipValue(depth: depth + 1)
                skipBlanks()
                if byte == UInt8(ascii: ",") {
                    advance()
                } else {
                    try expect(close)
                    break
                }
            }
        default: _ = try word()
        }
        return start..<position
    }

    private mutating func name() throws(JSONFault) {
        skipBlanks()
        _ = try string()
        skipBlanks()
        try expect(UInt8(ascii: ":"))
    }

    func slice(_ range: Range<Int>) -> ArraySlice<UInt8> { bytes[range] }

    func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    /// The text of a string between its quotes.
    func text(_ range: Range<Int>, isEscaped: Bool) -> String {
        guard isEscaped else { return text(range) }
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes[index] == UInt8(ascii: "\\"), index + 1 < range.upperBound else {
                result.append(bytes[index])
                index += 1
                continue
            }
            index += 2
            switch bytes[index - 1] {
            case UInt8(ascii: "n"): result.append(0x0a)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "r"): result.append(0x0d)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0c)
            case UInt8(ascii: "u"): appendUnicode(&index, range.upperBound, to: &result)
            case let other: result.append(other)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Reads the four digits at `index` (and a second half of a surrogate pair behind them).
    private func appendUnicode(_ index: inout Int, _ end: Int, to result: inout [UInt8]) {
        guard let first = hexadecimal(index, end) else { return }
        index += 4
        var code = first
        if (0xd800..<0xdc00).contains(first), index + 1 < end, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u"),
            let second = hexadecimal(index + 2, end), (0xdc00..<0xe000).contains(second)
        {
            code = 0x10000 + (first - 0xd800) << 10 + (second - 0xdc00)
            index += 6
        }
        result.append(contentsOf: Character(Unicode.Scalar(code) ?? "\u{fffd}").utf8)
    }

    private func hexadecimal(_ start: Int, _ end: Int) -> UInt32? {
        guard start + 4 <= end else { return nil }
        return UInt32(text(start..<start + 4), radix: 16)
    }
}
