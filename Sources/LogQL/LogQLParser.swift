import Patterns
package import Query
package import Telemetry

/// Reads LogQL by recursive descent.
package struct LogQLParser {
    let text: String
    var tokens: [Token]
    var index = 0
    var depth = 0

    /// Deeper nesting than that is refused: the parser and the engine recurse.
    private static let depthMax = 200
    /// Loki's own bound on a query's length.
    private static let byteCountMax = 131_072

    /// - Throws: a ``QueryError`` of code `parse` whose message has Loki's words.
    package static func parse(_ text: String) throws(QueryError) -> LogQLExpression {
        var parser = try LogQLParser(text)
        let expression = try parser.expression(0)
        try parser.expectEnd()
        if case .logs(let selector) = expression { try parser.checkMatchers(selector.matchers) }
        return expression
    }

    /// Reads a stream selector alone, as `match[]` and the index endpoints take it; `{}` means everything.
    package static func matchers(_ text: String) throws(QueryError) -> [LabelMatcher] {
        var parser = try LogQLParser(text)
        let matchers = try parser.selector()
        try parser.expectEnd()
        return matchers
    }

    init(_ text: String) throws(QueryError) {
        guard text.utf8.count <= Self.byteCountMax else {
            throw QueryError(.parse, "parse error : input size too long (\(text.utf8.count) > \(Self.byteCountMax))")
        }
        self.text = text
        tokens = try LogQLLexer.tokens(text)
    }

    // MARK: Words

    var token: Token { tokens[index] }

    func isSymbol(_ symbol: Token.Symbol) -> Bool { token.kind == .symbol(symbol) }

    /// The word at hand if it is an identifier, in lower case: keywords know no case.
    var keyword: String? {
        if case .identifier(let name) = token.kind { name.lowercased() } else { nil }
    }

    func follows(_ symbol: Token.Symbol) -> Bool {
        index + 1 < tokens.count && tokens[index + 1].kind == .symbol(symbol)
    }

    mutating func advance() { if index + 1 < tokens.count { index += 1 } }

    mutating func take(_ symbol: Token.Symbol) -> Bool {
        guard isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func take(keyword name: String) -> Bool {
        guard keyword == name else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: Token.Symbol) throws(QueryError) {
        guard take(symbol) else { throw unexpected(expecting: symbol.rawValue) }
    }

    /// The words of the language that no label may have as its name, unless in quotes (Loki, `syntax.tokens`).
    private static let reserved: Set<String> = [
        "and", "bool", "by", "decolorize", "drop", "group_left", "group_right", "ignoring", "json", "keep", "label_format", "line_format", "logfmt",
        "offset", "on", "or", "pattern", "regexp", "unless", "unpack", "unwrap", "without",
    ]

    mutating func expectIdentifier() throws(QueryError) -> String {
        guard case .identifier(let name) = token.kind, !Self.reserved.contains(name.lowercased()) else {
            throw unexpected(expecting: "IDENTIFIER")
        }
        advance()
        return name
    }

    mutating func expectString() throws(QueryError) -> String {
        guard case .string(let value) = token.kind else { throw unexpected(expecting: "STRING") }
        advance()
        return value
    }

    func expectEnd() throws(QueryError) {
        guard token.kind == .end else { throw unexpected(expecting: nil) }
    }

    func unexpected(expecting wanted: String?) -> QueryError {
        let message = "syntax error: unexpected \(token.name)" + (wanted.map { ", expecting \($0)" } ?? "")
        return .logQL(message, at: token.range, in: text)
    }

    /// An error about everything from the word at `start` to the one before the word at hand.
    func invalid(_ message: String, from start: Int) -> QueryError {
        let end = tokens[max(start, index - 1)].range.upperBound
        return .logQL(invalid: message, at: tokens[start].range.lowerBound..<end, in: text)
    }

    /// Counts a level of nesting.
    mutating func nested<Result>(
        _ body: (inout LogQLParser) throws(QueryError) -> Result
    ) throws(QueryError) -> Result {
        depth += 1
        guard depth <= Self.depthMax else {
            throw .logQL("the query nests more than \(Self.depthMax) levels deep", at: token.range, in: text)
        }
        let result = try body(&self)
        depth -= 1
        return result
    }

    // MARK: Selectors

    /// `{a="b", c!~"d"}`.
    mutating func selector() throws(QueryError) -> [LabelMatcher] {
        try expect(.openBrace)
        var matchers: [LabelMatcher] = []
        while !isSymbol(.closeBrace) {
            let name: String
            if case .string(let quoted) = token.kind {
                name = quoted
                advance()
            } else {
                name = try expectIdentifier()
            }
            matchers.append(try matcher(of: name))
            guard take(.comma) else { break }
        }
        guard take(.closeBrace) else { throw unexpected(expecting: "} or ,") }
        return matchers
    }

    /// The operator and value of a matcher.
    mutating func matcher(of name: String) throws(QueryError) -> LabelMatcher {
        let operation: LabelMatcher.Operation
        switch token.kind {
        case .symbol(.equal): operation = .equal
        case .symbol(.notEqual): operation = .notEqual
        case .symbol(.regexMatch): operation = .matches
        case .symbol(.regexNotMatch): operation = .notMatches
        default: throw unexpected(expecting: "= or != or =~ or !~")
        }
        advance()
        let start = index
        let value = try expectString()
        if operation == .matches || operation == .notMatches { try checkPattern(value, from: start) }
        return LabelMatcher(name, operation, value)
    }

    func checkPattern(_ pattern: String, from start: Int) throws(QueryError) {
        do {
            _ = try Pattern(pattern)
        } catch {
            throw invalid(error.description, from: start)
        }
    }

    /// Loki refuses a selector that every stream would pass.
    func checkMatchers(_ matchers: [LabelMatcher]) throws(QueryError) {
        for matcher in matchers {
            switch matcher.operation {
            case .equal where !matcher.value.isEmpty, .notEqual where matcher.value.isEmpty: return
            case .matches:
                if let pattern = try? LabelPattern(matcher.value), !pattern.matches("") { return }
            case .notMatches:
                if let pattern = try? LabelPattern(matcher.value), pattern.matches("") { return }
            default: break
            }
        }
        throw .logQL(
            invalid: "queries require at least one regexp or equality matcher that does not have an empty-compatible value. "
                + "For instance, app=~\".*\" does not meet this requirement, but app=~\".+\" will",
            at: 0..<text.utf8.count, in: text)
    }
}
