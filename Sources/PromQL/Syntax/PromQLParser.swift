package import Query
package import Telemetry
import Patterns

/// Reads PromQL: precedence climbing over tokens, then a check of types. Errors have Prometheus' wording and the place.
package enum PromQLParser {
    /// The expression that `text` stands for, type-checked.
    ///
    /// - Parameter features: the experimental syntax that is allowed.
    /// - Throws: ``QueryError`` with code `parse`.
    package static func parse(_ text: String, features: PromQLFeatures = .syntax) throws(QueryError) -> PromQLExpression {
        var parser = try TokenParser(text, features: features)
        if parser.token.kind == .endOfInput {
            throw parser.failure("no expression found in input", at: parser.token.range)
        }
        let expression = try parser.expression()
        if parser.token.kind != .endOfInput { throw parser.unexpected("") }
        try TypeChecker(text: text).check(expression)
        return expression
    }

    /// The matchers of a series selector (`match[]` of the HTTP API).
    ///
    /// - Throws: ``QueryError`` with code `parse`, also where the text is another kind of expression.
    package static func selector(_ text: String) throws(QueryError) -> [LabelMatcher] {
        var parser = try TokenParser(text)
        guard parser.token.isName || parser.token.kind == .leftBrace else { throw parser.unexpected("") }
        let selector = try parser.vectorSelector()
        if parser.token.kind != .endOfInput { throw parser.unexpected("") }
        return selector.matchers
    }
}

/// The state of a parse: tokens and the position among them.
struct TokenParser {
    let text: String
    let features: PromQLFeatures
    private let tokens: [Token]
    private var position = 0
    private var depth = 0

    init(_ text: String, features: PromQLFeatures = .syntax) throws(QueryError) {
        self.text = text
        self.features = features
        tokens = try Lexer.tokens(of: text)
    }

    /// The token to be read next; the last one, the end of the input, is never passed.
    var token: Token { tokens[position] }
    var previous: Token { tokens[max(position - 1, 0)] }

    func peek(_ distance: Int = 1) -> Token { tokens[min(position + distance, tokens.count - 1)] }

    @discardableResult
    mutating func advance() -> Token {
        let token = tokens[position]
        if position < tokens.count - 1 { position += 1 }
        return token
    }

    /// Passes a token of that kind, if it is next.
    mutating func take(_ kind: Token.Kind) -> Bool {
        guard token.kind == kind else { return false }
        advance()
        return true
    }

    mutating func expect(_ kind: Token.Kind, _ context: String, expected: String = "") throws(QueryError) {
        guard take(kind) else { throw unexpected(context, expected: expected) }
    }

    func failure(_ message: String, at range: SourceRange) -> QueryError {
        QueryError(.parse, "parse error: " + message, at: range.place(in: text))
    }

    func unexpected(_ context: String, expected: String = "") -> QueryError {
        var message = "unexpected " + token.summary
        if !context.isEmpty { message += " in " + context }
        if !expected.isEmpty { message += ", expected " + expected }
        return failure(message, at: token.range)
    }

    /// Runs `body` one level deeper. A limit keeps hostile nesting off the stack.
    mutating func nested<Result>(_ body: (inout TokenParser) throws(QueryError) -> Result) throws(QueryError) -> Result
    {
        guard depth < Limits.nestingDepthMax else { throw failure("expression is nested too deeply", at: token.range) }
        depth += 1
        let result = try body(&self)
        depth -= 1
        return result
    }
}

/// Limits of PromQL.
enum Limits {
    /// Parentheses and calls within each other. Dashboards reach about ten; the parser's stack bears some thousands.
    static let nestingDepthMax = 200
    /// Operators in one chain `a + b + c …`, which is as deep a tree.
    static let chainLengthMax = 1_000
    /// The longest duration: 64 bits of nanoseconds, as in Go, which is 292 years.
    static let durationSecondsMax = 9_223_372_036.0
    /// Points of a range query's result (Prometheus' limit).
    static let pointCountMax: Int64 = 11_000
    /// Steps that one subquery may take.
    static let subqueryStepCountMax: Int64 = 10_000_000
}

extension TokenParser {
    mutating func expression(tighterThan floor: Int = 0) throws(QueryError) -> PromQLExpression {
        try nested { parser throws(QueryError) in
            var left = try parser.operand()
            var chainLength = 0
            while case .binary(let operation) = parser.token.kind, operation.precedence > floor {
                chainLength += 1
                if chainLength > Limits.chainLengthMax {
                    throw parser.failure("expression is nested too deeply", at: parser.token.range)
                }
                left = try parser.binary(operation, after: left)
            }
            return left
        }
    }

    private mutating func binary(_ operation: BinaryOperator, after left: PromQLExpression) throws(QueryError)
        -> PromQLExpression
    {
        let sign = advance()
        var returnsBool = false
        if token.kind == .keyword(.bool) {
            guard operation.isComparison else {
                throw failure(
                    "bool modifier can only be used on comparison operators", at: left.place.joined(token.range))
            }
            advance()
            returnsBool = true
        }
        var matching = try vectorMatching()
        // `^` groups from the right, all others from the left.
        let right = try expression(tighterThan: operation == .power ? operation.precedence - 1 : operation.precedence)
        let place = left.place.joined(right.place)
        if matching.value.fillLeft != nil || matching.value.fillRight != nil, !features.contains(.fillModifiers) {
            throw failure("binop fill modifiers are experimental and not enabled", at: place)
        }
        if left.type == .scalar && right.type == .scalar && operation.isComparison && !returnsBool {
            throw failure("comparisons between scalars must use BOOL modifier", at: sign.range)
        }
        if left.type == .vector && right.type == .vector {
            if operation.isSet {
                if matching.isGrouped {
                    throw failure("no grouping allowed for \(operation.rawValue.quoted) operation", at: place)
                }
                if matching.value.fillLeft != nil || matching.value.fillRight != nil {
                    throw failure("filling in missing series not allowed for set operators", at: place)
                }
                matching.value.cardinality = .manyToMany
            }
        } else {
            if !matching.value.labels.isEmpty {
                throw failure("vector matching only allowed between instant vectors", at: place)
            }
            if matching.value.fillLeft != nil || matching.value.fillRight != nil {
                throw failure("filling in missing series only allowed between instant vectors", at: place)
            }
        }
        let isBetweenVectors = left.type == .vector && right.type == .vector
        return .binary(
            .init(
                operation: operation, left: left, right: right, returnsBool: returnsBool,
                matching: isBetweenVectors ? matching.value : nil, place: place))
    }

    /// `on (…) group_left (…) fill (…)`.
    private mutating func vectorMatching() throws(QueryError) -> (value: VectorMatching, isGrouped: Bool) {
        var matching = VectorMatching()
        var isGrouped = false
        if token.kind == .keyword(.on) || token.kind == .keyword(.ignoring) {
            matching.isOn = advance().kind == .keyword(.on)
            matching.labels = try labelNames()
            if token.kind == .keyword(.groupLeft) || token.kind == .keyword(.groupRight) {
                isGrouped = true
                matching.cardinality = advance().kind == .keyword(.groupLeft) ? .manyToOne : .oneToMany
                let start = token.range
                if token.kind == .leftParenthesis { matching.include = try labelNames() }
                if matching.isOn, let twice = matching.labels.first(where: matching.include.contains) {
                    throw failure("label \(twice.quoted) must not occur in ON and GROUP clause at once", at: start)
                }
            }
        }
        while peek().kind == .leftParenthesis {
            switch token.kind {
            case .keyword(.fill):
                matching.fillLeft = try fillValue()
                matching.fillRight = matching.fillLeft
            case .keyword(.fillLeft): matching.fillLeft = try fillValue()
            case .keyword(.fillRight): matching.fillRight = try fillValue()
            default: return (matching, isGrouped)
            }
        }
        return (matching, isGrouped)
    }

    private mutating func fillValue() throws(QueryError) -> Double {
        advance()
        try expect(.leftParenthesis, "fill modifier")
        let value = try signedNumber("fill modifier")
        try expect(.rightParenthesis, "fill modifier", expected: "\")\"")
        return value
    }

    /// A number, possibly with a sign.
    mutating func signedNumber(_ context: String) throws(QueryError) -> Double {
        var isNegative = false
        if case .binary(let sign) = token.kind, sign == .add || sign == .subtract {
            isNegative = sign == .subtract
            advance()
        }
        let value = try number(context)
        return isNegative ? -value : value
    }

    /// A number, or a duration in seconds.
    mutating func number(_ context: String) throws(QueryError) -> Double {
        let range = token.range
        switch token.kind {
        case .number:
            let text = advance().text
            guard let value = PromQLNumber.parse(text) else {
                throw failure("error parsing number: \(text.quoted)", at: range)
            }
            return value
        case .duration:
            return Double(try duration()) / 1000
        default: throw unexpected(context, expected: "number")
        }
    }

    /// The milliseconds of a duration token.
    mutating func duration() throws(QueryError) -> Int64 {
        let found = advance()
        guard let milliseconds = PromQLDuration.parse(found.text) else {
            throw failure("not a valid duration string: \(found.text.quoted)", at: found.range)
        }
        return milliseconds
    }

    /// A parenthesised list of label names.
    mutating func labelNames() throws(QueryError) -> [String] {
        try expect(.leftParenthesis, "grouping opts", expected: "\"(\"")
        var names: [String] = []
        while token.kind != .rightParenthesis {
            if token.kind == .string {
                let name = try textLiteral()
                if name.value.isEmpty || name.isBroken {
                    throw failure("invalid label name for grouping: \(name.value.quoted)", at: name.place)
                }
                names.append(name.value)
            } else if token.isName, !token.text.contains(":") {
                names.append(advance().text)
            } else {
                throw unexpected("grouping opts", expected: "label")
            }
            if !take(.comma), token.kind != .rightParenthesis {
                throw unexpected("grouping opts", expected: "\",\" or \")\"")
            }
        }
        advance()
        return names
    }

    mutating func textLiteral() throws(QueryError) -> PromQLExpression.TextLiteral {
        let found = advance()
        do {
            let bytes = try StringLiteral.bytes(of: found.text)
            let value = String(decoding: bytes, as: UTF8.self)
            return .init(value: value, place: found.range, brokenBytes: value.utf8.elementsEqual(bytes) ? nil : bytes)
        } catch {
            throw failure("error unquoting string \(found.text.quoted): \(error.message)", at: found.range)
        }
    }
}
