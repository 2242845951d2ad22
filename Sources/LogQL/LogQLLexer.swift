import Query
import Templates

/// Cuts a query into words.
struct LogQLLexer {
    private let text: String
    private let bytes: [UInt8]
    private var position = 0

    /// All words of `text`; the last one is the end.
    static func tokens(_ text: String) throws(QueryError) -> [Token] {
        var lexer = LogQLLexer(text)
        var tokens: [Token] = []
        while true {
            let token = try lexer.next()
            tokens.append(token)
            if token.kind == .end { return tokens }
        }
    }

    private init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }

    private func byte(_ ahead: Int = 0) -> UInt8 {
        position + ahead < bytes.count ? bytes[position + ahead] : 0
    }

    private mutating func next() throws(QueryError) -> Token {
        skipBlanks()
        let start = position
        guard position < bytes.count else { return Token(kind: .end, range: start..<start) }
        let kind: Token.Kind
        switch byte() {
        case UInt8(ascii: "\""): kind = .string(try quoted())
        case UInt8(ascii: "`"): kind = .string(try raw())
        case UInt8(ascii: "["): kind = .range(try range())
        case UInt8(ascii: "0")...UInt8(ascii: "9"): kind = try number()
        case UInt8(ascii: ".") where Self.isDigit(byte(1)): kind = try number()
        case UInt8(ascii: "-") where byte(1) == UInt8(ascii: "-") && Self.isLetter(byte(2)):
            position += 2
            kind = .flag("--" + identifier(allowing: UInt8(ascii: "-")))
        case let first where Self.isLetter(first): kind = .identifier(identifier())
        default: kind = .symbol(try symbol())
        }
        return Token(kind: kind, range: start..<position)
    }

    private mutating func skipBlanks() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): position += 1
            case UInt8(ascii: "#"):
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
            default: return
            }
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    private mutating func identifier(allowing extra: UInt8 = UInt8(ascii: "_")) -> String {
        let start = position
        while position < bytes.count, Self.isLetter(bytes[position]) || Self.isDigit(bytes[position]) || bytes[position] == extra {
            position += 1
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func symbol() throws(QueryError) -> Token.Symbol {
        for length in [2, 1] where position + length <= bytes.count {
            if let symbol = Token.Symbol(rawValue: String(decoding: bytes[position..<position + length], as: UTF8.self)) {
                position += length
                return symbol
            }
        }
        let place = position..<min(position + 1, bytes.count)
        throw .logQL("syntax error: unexpected character \(Character(Unicode.Scalar(bytes[position])))", at: place, in: text)
    }

    private mutating func range() throws(QueryError) -> Int64 {
        let start = position
        guard let close = bytes[start...].firstIndex(of: UInt8(ascii: "]")) else {
            throw .logQL("missing closing ']' in duration", at: start..<bytes.count, in: text)
        }
        position = close + 1
        let inner = String(decoding: bytes[start + 1..<close].filter { $0 != UInt8(ascii: " ") }, as: UTF8.self)
        guard let nanoseconds = Units.duration(inner, allowsDays: true), nanoseconds > 0 else {
            throw .logQL("not a valid duration string: \(inner.debugDescription)", at: start..<position, in: text)
        }
        return nanoseconds
    }

    /// A number, or one with a unit behind it.
    private mutating func number() throws(QueryError) -> Token.Kind {
        let start = position
        let isPrefixed = byte() == UInt8(ascii: "0") && "xXbBoO".utf8.contains(byte(1))
        if isPrefixed {
            position += 2
            while Self.isLetter(byte()) || Self.isDigit(byte()) || byte() == UInt8(ascii: ".")
                || (byte() == UInt8(ascii: "-") && byte(-1) | 0x20 == UInt8(ascii: "p"))
            { position += 1 }
            return .number(String(decoding: bytes[start..<position], as: UTF8.self))
        }
        while Self.isDigit(byte()) || byte() == UInt8(ascii: ".") { position += 1 }
        if byte() | 0x20 == UInt8(ascii: "e") {
            let signed = byte(1) == UInt8(ascii: "-") || byte(1) == UInt8(ascii: "+")
            if Self.isDigit(byte(signed ? 2 : 1)) {
                position += signed ? 2 : 1
                while Self.isDigit(byte()) { position += 1 }
            }
        }
        guard Self.isLetter(byte()) else { return .number(String(decoding: bytes[start..<position], as: UTF8.self)) }
        while Self.isLetter(byte()) || Self.isDigit(byte()) || byte() == UInt8(ascii: ".") { position += 1 }
        let unit = String(decoding: bytes[start..<position], as: UTF8.self)
        if let nanoseconds = Units.duration(unit, allowsDays: true) { return .duration(nanoseconds) }
        if let count = Units.bytes(unit) { return .bytes(count) }
        throw .logQL("syntax error: \(unit.debugDescription) is no number, duration or size", at: start..<position, in: text)
    }

    private mutating func raw() throws(QueryError) -> String {
        let start = position
        guard let close = bytes[(start + 1)...].firstIndex(of: UInt8(ascii: "`")) else {
            throw .logQL("literal not terminated", at: start..<bytes.count, in: text)
        }
        position = close + 1
        return String(decoding: bytes[start + 1..<close].filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
    }

    /// A string in double quotes with Go's escapes.
    private mutating func quoted() throws(QueryError) -> String {
        let start = position
        var value: [UInt8] = []
        position += 1
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: value, as: UTF8.self)
            case UInt8(ascii: "\n"): throw .logQL("literal not terminated", at: start..<position, in: text)
            case UInt8(ascii: "\\"):
                guard let unescaped = GoEscape.read(bytes, &position) else {
                    throw .logQL("invalid char escape", at: start..<min(position + 2, bytes.count), in: text)
                }
                value += unescaped
            default:
                value.append(bytes[position])
                position += 1
            }
        }
        throw .logQL("literal not terminated", at: start..<bytes.count, in: text)
    }
}
