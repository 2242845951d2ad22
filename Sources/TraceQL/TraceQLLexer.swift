import Query

/// One word of a query.
struct TraceQLToken: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case word(String)
        /// `span.http.method`, `.a`, `parent.resource.b`.
        case attribute(SpanField.Scope, String, isParent: Bool)
        /// `span:duration`; the scope may be empty.
        case scoped(String, String)
        case string(String)
        case int(Int64)
        case double(Double)
        /// Nanoseconds.
        case duration(Int64)
        case symbol(String)
        case end
    }

    var kind: Kind
    var range: Range<Int>

    /// What an error calls it.
    var name: String {
        switch kind {
        case .word(let word): "IDENTIFIER \(word)"
        case .attribute(let scope, let name, _): "attribute \(scope.rawValue).\(name)"
        case .scoped(let scope, let name): "\(scope):\(name)"
        case .string: "STRING"
        case .int: "INTEGER"
        case .double: "FLOAT"
        case .duration: "DURATION"
        case .symbol(let symbol): symbol
        case .end: "$end"
        }
    }
}

/// Cuts a TraceQL query into words.
struct TraceQLLexer {
    private let text: String
    private let bytes: [UInt8]
    private var position = 0

    static func tokens(_ text: String) throws(QueryError) -> [TraceQLToken] {
        var lexer = TraceQLLexer(text)
        var tokens: [TraceQLToken] = []
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

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    /// Longest first.
    private static let symbols = [
        "!>>", "!<<", "&>>", "&<<", "&&", "||", "!=", "!~", "=~", "<=", ">=", ">>", "<<", "!>", "!<", "&>", "&<", "&~",
        "{", "}", "(", ")",
        ",", "|", "=", "<", ">", "~", "!", "+", "-", "*", "/", "%", "^"
    ].map { Array($0.utf8) }

    private mutating func next() throws(QueryError) -> TraceQLToken {
        while [0x20, 0x09, 0x0a, 0x0d].contains(byte()), position < bytes.count { position += 1 }
        let start = position
        guard position < bytes.count else { return TraceQLToken(kind: .end, range: start..<start) }
        let kind: TraceQLToken.Kind
        switch byte() {
        case UInt8(ascii: "\""): kind = .string(try quoted())
        case UInt8(ascii: "`"): kind = .string(try raw())
        case let first where Self.isDigit(first): kind = try number()
        case UInt8(ascii: "."):
            if Self.isDigit(byte(1)) {
                kind = try number()
            } else {
                position += 1
                kind = .attribute(.any, try attributeName(from: start), isParent: false)
            }
        case UInt8(ascii: ":") where Self.isLetter(byte(1)):
            position += 1
            kind = .scoped("", word())
        case let first where Self.isLetter(first): kind = try wordOrAttribute()
        default: kind = .symbol(try symbol())
        }
        return TraceQLToken(kind: kind, range: start..<position)
    }

    private mutating func word() -> String {
        let start = position
        while Self.isLetter(byte()) || Self.isDigit(byte()) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func wordOrAttribute() throws(QueryError) -> TraceQLToken.Kind {
        let start = position
        let word = word()
        if byte() == UInt8(ascii: ":"), Self.isLetter(byte(1)) {
            position += 1
            return .scoped(word, self.word())
        }
        guard byte() == UInt8(ascii: ".") else { return .word(word) }
        if let scope = SpanField.Scope(rawValue: word), scope != .any {
            position += 1
            return .attribute(scope, try attributeName(from: start), isParent: false)
        }
        guard word == "parent" else { throw .traceQL("unknown scope \(word)", at: start..<position, in: text) }
        position += 1
        for scope in [SpanField.Scope.span, .resource] {
            let prefix = Array((scope.rawValue + ".").utf8)
            if bytes[position...].starts(with: prefix) {
                position += prefix.count
                return .attribute(scope, try attributeName(from: start), isParent: true)
            }
        }
        return .attribute(.any, try attributeName(from: start), isParent: true)
    }

    /// Parts in quotes may hold anything; without them, signs of arithmetic belong to the name, as in Tempo: `.a-b` is one name.
    private mutating func attributeName(from start: Int) throws(QueryError) -> String {
        var name: [UInt8] = []
        while position < bytes.count {
            let next = bytes[position]
            if next == UInt8(ascii: "\"") {
                name += Array(try quoted(keepsControls: true).utf8)
            } else if next <= 0x20 || "{}()=~!<>&|^,".utf8.contains(next) {
                break
            } else {
                name.append(next)
                position += 1
            }
        }
        guard !name.isEmpty else {
            throw .traceQL("syntax error: an attribute has no name", at: start..<position, in: text)
        }
        return String(decoding: name, as: UTF8.self)
    }

    private mutating func symbol() throws(QueryError) -> String {
        for symbol in Self.symbols where bytes[position...].starts(with: symbol) {
            position += symbol.count
            return String(decoding: symbol, as: UTF8.self)
        }
        throw .traceQL(
            "syntax error: unexpected character \(Character(Unicode.Scalar(bytes[position])))",
            at: position..<position + 1, in: text)
    }

    private mutating func number() throws(QueryError) -> TraceQLToken.Kind {
        let start = position
        while Self.isDigit(byte()) || byte() == UInt8(ascii: ".") { position += 1 }
        if byte() | 0x20 == UInt8(ascii: "e"),
            Self.isDigit(byte(1)) || (Self.isDigit(byte(2)) && "+-".utf8.contains(byte(1)))
        {
            position += 2
            while Self.isDigit(byte()) { position += 1 }
        }
        if Self.isLetter(byte()) {
            while Self.isLetter(byte()) || Self.isDigit(byte()) || byte() == UInt8(ascii: ".") { position += 1 }
            let text = String(decoding: bytes[start..<position], as: UTF8.self)
            guard let nanoseconds = DurationText.nanoseconds(text) else {
                throw .traceQL(
                    "syntax error: \(text) is neither a number nor a duration", at: start..<position, in: self.text)
            }
            return .duration(nanoseconds)
        }
        let digits = String(decoding: bytes[start..<position], as: UTF8.self)
        if let value = Int64(digits) { return .int(value) }
        let isFraction = digits.contains(".") || digits.lowercased().contains("e")
        guard isFraction, let value = Double(digits.hasSuffix(".") ? String(digits.dropLast()) : digits) else {
            throw .traceQL("syntax error: \(digits) does not fit in 64 bits", at: start..<position, in: text)
        }
        return .double(value)
    }

    private mutating func raw() throws(QueryError) -> String {
        let start = position
        guard let close = bytes[(start + 1)...].firstIndex(of: UInt8(ascii: "`")) else {
            throw .traceQL("literal not terminated", at: start..<bytes.count, in: text)
        }
        position = close + 1
        return String(decoding: bytes[start + 1..<close], as: UTF8.self)
    }

    private mutating func quoted(keepsControls: Bool = false) throws(QueryError) -> String {
        let start = position
        var value: [UInt8] = []
        position += 1
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: value, as: UTF8.self)
            case UInt8(ascii: "\n") where !keepsControls:
                throw .traceQL("literal not terminated", at: start..<position, in: text)
            case UInt8(ascii: "\\") where position + 1 < bytes.count:
                let escapes: [UInt8: UInt8] = [0x6e: 10, 0x74: 9, 0x72: 13, 0x22: 0x22, 0x5c: 0x5c, 0x27: 0x27]
                if let escape = escapes[bytes[position + 1]] {
                    value.append(escape)
                } else {
                    // `"\d"`: an escape of the expression that the string holds.
                    value += [bytes[position], bytes[position + 1]]
                }
                position += 2
            default:
                value.append(bytes[position])
                position += 1
            }
        }
        throw .traceQL("literal not terminated", at: start..<bytes.count, in: text)
    }
}

/// Durations as Go writes them, with days, weeks and years.
package enum DurationText {
    private static let units: [(name: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
        ("d", 86_400e9),
        ("w", 604_800e9), ("y", 31_536_000e9)
    ]

    /// `1h30m`, `1.5s`: nanoseconds.
    package static func nanoseconds(_ text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        guard !rest.isEmpty else { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
            guard let number = Double(String(decoding: digits, as: UTF8.self)) else { return nil }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { !(0x30...0x39).contains($0) && $0 != UInt8(ascii: ".") }
            let text = String(decoding: name, as: UTF8.self)
            guard let unit = units.first(where: { $0.name == text }) else { return nil }
            total += number * unit.nanoseconds
            rest = rest.dropFirst(name.count)
        }
        return total < 9.2e18 ? Int64(total) : nil
    }
}
