import Query
import Telemetry

/// Cuts a query into tokens. It works on bytes; whatever is no ASCII may stand in strings and comments only.
struct Lexer {
    let text: String
    private let bytes: [UInt8]
    private var position = 0
    /// Inside `{…}` and `[…]` a colon is no part of a name.
    private var braceDepth = 0
    private var bracketDepth = 0

    init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }

    /// All tokens; the last one is the end of the input.
    static func tokens(of text: String) throws(QueryError) -> [Token] {
        var lexer = Lexer(text)
        var tokens: [Token] = []
        repeat { tokens.append(try lexer.next()) } while tokens.last?.kind != .endOfInput
        return tokens
    }

    private func peek(_ distance: Int = 0) -> UInt8 {
        position + distance < bytes.count ? bytes[position + distance] : 0
    }

    private func failure(_ message: String, from start: Int) -> QueryError {
        QueryError(
            .parse, "parse error: " + message, at: QueryError.Place(start: start, end: max(position, start), in: text))
    }

    private func token(_ kind: Token.Kind, from start: Int) -> Token {
        Token(
            kind: kind, text: String(decoding: bytes[start..<position], as: UTF8.self),
            range: SourceRange(start, position))
    }

    mutating func next() throws(QueryError) -> Token {
        skipBlanks()
        let start = position
        guard position < bytes.count else { return token(.endOfInput, from: start) }
        let byte = bytes[position]
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return try number(from: start)
        case UInt8(ascii: ".") where peek(1).isDigit: return try number(from: start)
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): return try string(from: start)
        case _ where byte.isNameStart || byte == UInt8(ascii: ":") && braceDepth == 0 && bracketDepth == 0:
            return word(from: start)
        default: return try sign(from: start)
        }
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

    private mutating func sign(from start: Int) throws(QueryError) -> Token {
        let byte = bytes[position]
        position += 1
        func followed(by next: String.UTF8View.Element) -> Bool { peek() == next }
        switch byte {
        case UInt8(ascii: "("): return token(.leftParenthesis, from: start)
        case UInt8(ascii: ")"): return token(.rightParenthesis, from: start)
        case UInt8(ascii: "{"):
            braceDepth += 1
            return token(.leftBrace, from: start)
        case UInt8(ascii: "}"):
            braceDepth -= 1
            if braceDepth < 0 { throw failure("unexpected right brace '}'", from: start) }
            return token(.rightBrace, from: start)
        case UInt8(ascii: "["):
            bracketDepth += 1
            return token(.leftBracket, from: start)
        case UInt8(ascii: "]"):
            bracketDepth -= 1
            if bracketDepth < 0 { throw failure("unexpected right bracket ']'", from: start) }
            return token(.rightBracket, from: start)
        case UInt8(ascii: ","): return token(.comma, from: start)
        case UInt8(ascii: ":"): return token(.colon, from: start)
        case UInt8(ascii: "@"): return token(.at, from: start)
        case UInt8(ascii: "+"): return token(.binary(.add), from: start)
        case UInt8(ascii: "-"): return token(.binary(.subtract), from: start)
        case UInt8(ascii: "*"): return token(.binary(.multiply), from: start)
        case UInt8(ascii: "/"): return token(.binary(.divide), from: start)
        case UInt8(ascii: "%"): return token(.binary(.modulo), from: start)
        case UInt8(ascii: "^"): return token(.binary(.power), from: start)
        case UInt8(ascii: "="):
            if followed(by: UInt8(ascii: "=")) {
                position += 1
                return token(.binary(.equal), from: start)
            }
            if followed(by: UInt8(ascii: "~")) {
                position += 1
                return token(.matches, from: start)
            }
            return token(.equal, from: start)
        case UInt8(ascii: "!"):
            if followed(by: UInt8(ascii: "=")) {
                position += 1
                return token(.binary(.notEqual), from: start)
            }
            if followed(by: UInt8(ascii: "~")) {
                position += 1
                return token(.notMatches, from: start)
            }
            let found = position < bytes.count ? "'\(text.character(at: position))'" : "end of input"
            throw failure("unexpected character after '!': \(found)", from: start)
        case UInt8(ascii: "<"), UInt8(ascii: ">"):
            let isLess = byte == UInt8(ascii: "<")
            if followed(by: UInt8(ascii: "=")) {
                position += 1
                return token(.binary(isLess ? .lessOrEqual : .greaterOrEqual), from: start)
            }
            if followed(by: UInt8(ascii: "/")) {
                position += 1
                return token(.binary(isLess ? .trimUpper : .trimLower), from: start)
            }
            return token(.binary(isLess ? .less : .greater), from: start)
        default:
            position = start
            throw failure("unexpected character: '\(text.character(at: start))'", from: start)
        }
    }

    private mutating func word(from start: Int) -> Token {
        let colons = braceDepth == 0 && bracketDepth == 0
        while position < bytes.count, peek().isNamePart || (colons && peek() == UInt8(ascii: ":")) { position += 1 }
        let found = token(.identifier, from: start)
        return Token(kind: Lexer.words[found.text.lowercased()] ?? .identifier, text: found.text, range: found.range)
    }

    private static let words: [String: Token.Kind] = {
        var words: [String: Token.Kind] = ["inf": .number, "nan": .number]
        for keyword in Token.Keyword.allCases { words[keyword.rawValue] = .keyword(keyword) }
        for operation in AggregationOperator.allCases { words[operation.rawValue] = .aggregation(operation) }
        for operation in BinaryOperator.allCases where operation.isWord {
            words[operation.rawValue] = .binary(operation)
        }
        return words
    }()

    /// A number (`1_000`, `0x1f`, `.5e3`) or a duration (`1h30m`).
    private mutating func number(from start: Int) throws(QueryError) -> Token {
        if peek() == UInt8(ascii: "0"), peek(1) | 0x20 == UInt8(ascii: "x") {
            position += 2
            while peek().isHexDigit || peek() == UInt8(ascii: "_") { position += 1 }
            return try checked(.number, from: start)
        }
        while peek().isDigit || peek() == UInt8(ascii: "_") { position += 1 }
        if peek().isDurationUnit {
            while peek().isDigit || peek().isDurationUnit { position += 1 }
            return try checked(.duration, from: start)
        }
        if peek() == UInt8(ascii: ".") {
            position += 1
            while peek().isDigit || peek() == UInt8(ascii: "_") { position += 1 }
        }
        if peek() | 0x20 == UInt8(ascii: "e") {
            let isSigned = peek(1) == UInt8(ascii: "+") || peek(1) == UInt8(ascii: "-")
            position += isSigned ? 2 : 1
            while peek().isDigit || peek() == UInt8(ascii: "_") { position += 1 }
        }
        return try checked(.number, from: start)
    }

    /// A number that runs into a letter is none.
    private mutating func checked(_ kind: Token.Kind, from start: Int) throws(QueryError) -> Token {
        guard peek().isNamePart else { return token(kind, from: start) }
        while peek().isNamePart { position += 1 }
        let word = String(decoding: bytes[start..<position], as: UTF8.self)
        throw failure("bad number or duration syntax: \(word.quoted)", from: start)
    }

    private mutating func string(from start: Int) throws(QueryError) -> Token {
        let quote = bytes[position]
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == quote { return token(.string, from: start) }
            if quote == UInt8(ascii: "`") { continue }
            if byte == UInt8(ascii: "\n") { break }
            if byte == UInt8(ascii: "\\") { position += 1 }
        }
        position = min(position, bytes.count)
        throw failure(
            quote == UInt8(ascii: "`") ? "unterminated raw string" : "unterminated quoted string", from: start)
    }
}

extension UInt8 {
    var isDigit: Bool { UInt8(ascii: "0") <= self && self <= UInt8(ascii: "9") }
    var isHexDigit: Bool {
        isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self | 0x20)
    }
    var isNameStart: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) || self == UInt8(ascii: "_") }
    var isNamePart: Bool { isNameStart || isDigit }
    /// A letter that a duration's unit begins or ends with.
    var isDurationUnit: Bool {
        switch self {
        case UInt8(ascii: "s"), UInt8(ascii: "m"), UInt8(ascii: "h"), UInt8(ascii: "d"), UInt8(ascii: "w"),
            UInt8(ascii: "y"):
            true
        default: false
        }
    }
}

extension String {
    /// The character that holds byte `offset`.
    fileprivate func character(at offset: Int) -> Character {
        let index = utf8.index(utf8.startIndex, offsetBy: offset)
        return index < endIndex ? self[index] : " "
    }
}
