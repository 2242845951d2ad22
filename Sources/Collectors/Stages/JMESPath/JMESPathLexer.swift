import Codecs

/// The words of a JMESPath expression.
enum JMESPathLexer {
    enum Token: Hashable {
        case name(String)
        case quotedName(String)
        case number(Int)
        case literal(JSONValue)
        case comparison(JMESPath.Comparison)
        /// One of `. * [ ] { } ( ) , : @ & ! | || && [] [?`.
        case symbol(String)
        case end
    }

    static func tokens(_ text: String) throws(JMESPath.Fault) -> [Token] {
        let bytes = Array(text.utf8)
        var tokens: [Token] = []
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0
            switch byte {
            case 0x20, 0x09, 0x0a, 0x0d: index += 1
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
                let start = index
                while index < bytes.count, isWord(bytes[index]) { index += 1 }
                tokens.append(.name(String(decoding: bytes[start..<index], as: UTF8.self)))
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                let start = index
                index += 1
                while index < bytes.count, (0x30...0x39).contains(bytes[index]) { index += 1 }
                guard let number = Int(String(decoding: bytes[start..<index], as: UTF8.self)) else {
                    throw JMESPath.Fault(description: "unknown token at offset \(start)")
                }
                tokens.append(.number(number))
            case UInt8(ascii: "\""):
                let range = try delimited(bytes, &index)
                guard let name = JSONText.unquoted(bytes[range]) else {
                    throw JMESPath.Fault(description: "a quoted name at offset \(range.lowerBound) has a wrong escape")
                }
                tokens.append(.quotedName(name))
            case UInt8(ascii: "'"):
                let range = try delimited(bytes, &index)
                let text = String(decoding: bytes[range], as: UTF8.self)
                tokens.append(.literal(.string(text.split(separator: "\\'", omittingEmptySubsequences: false).joined(separator: "'"))))
            case UInt8(ascii: "`"):
                let range = try delimited(bytes, &index)
                tokens.append(.literal(try literal(bytes[range])))
            case UInt8(ascii: "["):
                let pair = next == UInt8(ascii: "]") ? "[]" : next == UInt8(ascii: "?") ? "[?" : "["
                tokens.append(.symbol(pair))
                index += pair.utf8.count
            case UInt8(ascii: "|"), UInt8(ascii: "&"):
                let symbol = String(Character(Unicode.Scalar(byte)))
                tokens.append(.symbol(next == byte ? symbol + symbol : symbol))
                index += next == byte ? 2 : 1
            case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "="), UInt8(ascii: "!"):
                let symbol = String(Character(Unicode.Scalar(byte)))
                if next == UInt8(ascii: "="), let comparison = JMESPath.Comparison(rawValue: symbol + "=") {
                    tokens.append(.comparison(comparison))
                    index += 2
                } else if let comparison = JMESPath.Comparison(rawValue: symbol) {
                    tokens.append(.comparison(comparison))
                    index += 1
                } else if byte == UInt8(ascii: "!") {
                    tokens.append(.symbol("!"))
                    index += 1
                } else {
                    throw JMESPath.Fault(description: "unknown token \"=\" at offset \(index)")
                }
            case let byte where ".*]{}(),:@".utf8.contains(byte):
                tokens.append(.symbol(String(Character(Unicode.Scalar(byte)))))
                index += 1
            default: throw JMESPath.Fault(description: "unknown character at offset \(index)")
            }
        }
        return tokens + [.end]
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// What stands between the delimiter at `index` and its like; escapes are left as they are.
    private static func delimited(_ bytes: [UInt8], _ index: inout Int) throws(JMESPath.Fault) -> Range<Int> {
        let (start, delimiter) = (index + 1, bytes[index])
        index = start
        while index < bytes.count, bytes[index] != delimiter { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
        guard index < bytes.count else { throw JMESPath.Fault(description: "unclosed delimiter at offset \(start - 1)") }
        index += 1
        return start..<(index - 1)
    }

    /// JSON between backticks.
    private static func literal(_ bytes: ArraySlice<UInt8>) throws(JMESPath.Fault) -> JSONValue {
        var text: [UInt8] = []
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.endIndex, bytes[index + 1] == UInt8(ascii: "`") { index += 1 }
            text.append(bytes[index])
            index += 1
        }
        let trimmed = Array(text.drop { $0 == 0x20 })
        guard let value = try? JSONValue(parsing: trimmed.span) else {
            throw JMESPath.Fault(description: "the literal `\(String(decoding: trimmed, as: UTF8.self))` is no JSON: a text needs quotes within it")
        }
        return value
    }
}
