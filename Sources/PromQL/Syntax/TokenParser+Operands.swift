import Patterns
import Query
import Telemetry

extension TokenParser {
    /// An operand: signs, then a primary expression with what follows it (`[5m]`, `offset`, `@`).
    mutating func operand() throws(QueryError) -> PromQLExpression {
        guard case .binary(let sign) = token.kind, sign == .add || sign == .subtract else {
            return try postfixed(primary())
        }
        let start = advance().range
        // A sign binds as tightly as `*`: only `^` goes before it.
        let inner = try expression(tighterThan: BinaryOperator.multiply.precedence)
        let place = start.joined(inner.place)
        if case .number(var literal) = inner {
            if sign == .subtract { literal.value = -literal.value }
            literal.place = place
            return .number(literal)
        }
        return .unary(.init(isNegation: sign == .subtract, operand: inner, place: place))
    }

    private mutating func primary() throws(QueryError) -> PromQLExpression {
        let start = token.range
        switch token.kind {
        case .number, .duration:
            let isDuration = token.kind == .duration
            return .number(.init(value: try number(""), isDuration: isDuration, place: start))
        case .string: return .string(try textLiteral())
        case .leftParenthesis:
            advance()
            if token.kind == .rightParenthesis { throw unexpected("") }
            let inner = try expression()
            guard take(.rightParenthesis) else {
                if token.kind == .endOfInput { throw failure("unclosed left parenthesis", at: start) }
                throw unexpected("")
            }
            return .parentheses(.init(expression: inner, place: start.joined(previous.range)))
        case .leftBrace: return .selector(try vectorSelector())
        case .aggregation(let operation):
            switch peek().kind {
            case .leftParenthesis, .keyword(.by), .keyword(.without): return try aggregation(operation)
            default: return .selector(try vectorSelector())
            }
        case .keyword(.bool), .keyword(.on), .keyword(.ignoring), .keyword(.groupLeft), .keyword(.groupRight):
            throw unexpected("")
        case .binary(.atan2): throw unexpected("")
        default:
            guard token.isName else { throw unexpected("") }
            let isOperator = if case .binary = token.kind { true } else { false }
            if peek().kind == .leftParenthesis, !isOperator { return try call() }
            return .selector(try vectorSelector())
        }
    }

    private mutating func call() throws(QueryError) -> PromQLExpression {
        let name = advance()
        guard let function = FunctionSignature.named(name.text) else {
            throw failure("unknown function with name \(name.text.quoted)", at: name.range)
        }
        if function.isExperimental, !features.contains(.experimentalFunctions) {
            throw failure("function \(name.text.quoted) is not enabled", at: name.range)
        }
        let arguments = try arguments("function call")
        return .call(.init(function: function, arguments: arguments, place: name.range.joined(previous.range)))
    }

    /// A parenthesised list of expressions.
    private mutating func arguments(_ context: String) throws(QueryError) -> [PromQLExpression] {
        let start = token.range
        try expect(.leftParenthesis, context)
        var arguments: [PromQLExpression] = []
        if take(.rightParenthesis) { return arguments }
        while true {
            arguments.append(try expression())
            if take(.rightParenthesis) { return arguments }
            if token.kind == .endOfInput { throw failure("unclosed left parenthesis", at: start) }
            guard take(.comma) else { throw unexpected(context, expected: "\",\" or \")\"") }
            if token.kind == .rightParenthesis {
                throw failure("trailing commas not allowed in function call args", at: token.range)
            }
        }
    }

    private mutating func aggregation(_ operation: AggregationOperator) throws(QueryError) -> PromQLExpression {
        let start = advance().range
        var grouping: (names: [String], isWithout: Bool)?
        func isGrouping(_ token: Token) -> Bool { token.kind == .keyword(.by) || token.kind == .keyword(.without) }
        if isGrouping(token) {
            let isWithout = advance().kind == .keyword(.without)
            grouping = (try labelNames(), isWithout)
        }
        var arguments = try arguments("aggregation")
        if grouping == nil, isGrouping(token) {
            let isWithout = advance().kind == .keyword(.without)
            grouping = (try labelNames(), isWithout)
        }
        let place = start.joined(previous.range)
        let expected = operation.takesParameter ? 2 : 1
        if arguments.isEmpty { throw failure("no arguments for aggregate expression provided", at: place) }
        guard arguments.count == expected else {
            throw failure(
                "wrong number of arguments for aggregate expression provided, expected \(expected), got \(arguments.count)",
                at: place)
        }
        let expression = arguments.removeLast()
        if operation == .limitk || operation == .limitRatio, !features.contains(.experimentalFunctions) {
            throw failure(
                "\(operation.rawValue)() is experimental and must be enabled with --enable-feature=promql-experimental-functions",
                at: place)
        }
        return .aggregation(
            .init(
                operation: operation, expression: expression, parameter: arguments.first,
                grouping: grouping?.names ?? [],
                isWithout: grouping?.isWithout ?? false, place: place))
    }

    /// `name{matchers}` without what may follow.
    mutating func vectorSelector() throws(QueryError) -> PromQLExpression.VectorSelector {
        let start = token.range
        var name = ""
        var matchers: [LabelMatcher] = []
        if token.isName { name = advance().text }
        if take(.leftBrace) {
            while token.kind != .rightBrace {
                matchers.append(try matcher())
                if !take(.comma), token.kind != .rightBrace {
                    throw unexpected("label matching", expected: "\",\" or \"}\"")
                }
            }
            advance()
        }
        let place = start.joined(previous.range)
        if !name.isEmpty {
            if let twice = matchers.first(where: { $0.name == Labels.metricName }) {
                throw failure("metric name must not be set twice: \(name.quoted) or \(twice.value.quoted)", at: place)
            }
            matchers.insert(LabelMatcher(Labels.metricName, .equal, name), at: 0)
        }
        return .init(name: name, matchers: matchers, place: place)
    }

    /// `label="value"`, or a quoted metric name alone.
    private mutating func matcher() throws(QueryError) -> LabelMatcher {
        let start = token
        let name: String
        if token.kind == .string {
            name = try textLiteral().value
            if token.kind == .comma || token.kind == .rightBrace {
                return LabelMatcher(Labels.metricName, .equal, name)
            }
        } else if token.isName {
            name = advance().text
        } else {
            throw unexpected("label matching", expected: "identifier or \"}\"")
        }
        let operation: LabelMatcher.Operation
        switch token.kind {
        case .equal: operation = .equal
        case .binary(.notEqual): operation = .notEqual
        case .matches: operation = .matches
        case .notMatches: operation = .notMatches
        default: throw unexpected("label matching", expected: "label matching operator")
        }
        advance()
        guard token.kind == .string else { throw unexpected("label matching", expected: "string") }
        let value = try textLiteral()
        if operation == .matches || operation == .notMatches {
            do { _ = try LabelPattern(value.value) } catch {
                throw failure(error.description, at: start.range.joined(value.place))
            }
        }
        return LabelMatcher(name, operation, value.value)
    }
}
