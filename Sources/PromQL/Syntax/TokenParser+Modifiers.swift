import Query

extension TokenParser {
    /// What may follow an operand: ranges, subqueries, `offset`, `@`, `anchored`, `smoothed`.
    mutating func postfixed(_ operand: PromQLExpression) throws(QueryError) -> PromQLExpression {
        var expression = operand
        while true {
            switch token.kind {
            case .leftBracket: expression = try bracketed(expression)
            case .keyword(.offset): expression = try offset(expression)
            case .at: expression = try at(expression)
            case .keyword(.anchored): expression = try bounded(expression, .anchored)
            case .keyword(.smoothed): expression = try bounded(expression, .smoothed)
            default: return expression
            }
        }
    }

    /// `[range]` or `[range:step]`.
    private mutating func bracketed(_ operand: PromQLExpression) throws(QueryError) -> PromQLExpression {
        advance()
        guard token.kind != .rightBracket else {
            throw unexpected("subquery or range selector", expected: "number, duration, step(), or range()")
        }
        let rangeStart = token.range
        let range = try gated { parser throws(QueryError) in
            try parser.durationExpression("subquery or range selector").asDuration
        }
        try requirePositive(range, from: rangeStart)
        if take(.colon) {
            var step: DurationExpression?
            if token.kind != .rightBracket {
                let stepStart = token.range
                let found = try gated { parser throws(QueryError) in
                    try parser.durationExpression("subquery selector").asDuration
                }
                try requirePositive(found, from: stepStart)
                step = found
            }
            try closeBracket("subquery selector")
            let place = operand.place.joined(previous.range)
            guard operand.type == .vector else {
                throw failure(
                    "subquery is only allowed on instant vector, got \(operand.type.rawValue) instead",
                    at: operand.place)
            }
            return .subquery(.init(expression: operand, range: range, step: step, place: place))
        }
        try closeBracket("subquery or range selector")
        let place = operand.place.joined(previous.range)
        guard case .selector(let selector) = operand else {
            throw failure("ranges only allowed for vector selectors", at: place)
        }
        if selector.offset != nil { throw failure("no offset modifiers allowed before range", at: place) }
        if selector.at != nil { throw failure("no @ modifiers allowed before range", at: place) }
        return .range(.init(selector: selector, range: range, place: place))
    }

    /// Reads a duration, which must be a plain one where the experimental ones are not allowed.
    private mutating func gated(
        _ read: (inout TokenParser) throws(QueryError) -> DurationExpression
    ) throws(QueryError) -> DurationExpression {
        let start = token.range
        let duration = try read(&self)
        guard features.contains(.durationExpressions) || duration.isPlain else {
            throw failure("experimental duration expression is not enabled", at: start.joined(previous.range))
        }
        return duration
    }

    private mutating func closeBracket(_ context: String) throws(QueryError) {
        guard take(.rightBracket) else {
            if token.kind == .endOfInput {
                throw failure("unexpected end of input in \(context), expected \"]\"", at: token.range)
            }
            throw unexpected(context, expected: "\"]\"")
        }
    }

    private func requirePositive(_ duration: DurationExpression, from start: SourceRange) throws(QueryError) {
        guard duration.isConstant else { return }
        do throws(DurationExpression.Failure) {
            let milliseconds = try duration.milliseconds(step: 0, range: 0)
            if milliseconds <= 0 { throw DurationExpression.Failure(message: "duration must be greater than 0") }
        } catch {
            throw failure(error.message, at: start.joined(previous.range))
        }
    }

    private mutating func offset(_ operand: PromQLExpression) throws(QueryError) -> PromQLExpression {
        advance()
        let value = try gated { parser throws(QueryError) in try parser.offsetValue() }
        if value.isConstant {
            do { _ = try value.milliseconds(step: 0, range: 0) } catch {
                throw failure(error.message, at: previous.range)
            }
        }
        let place = operand.place.joined(previous.range)
        func once(_ existing: DurationExpression?) throws(QueryError) {
            if existing != nil { throw failure("offset may not be set multiple times", at: operand.place) }
        }
        switch operand {
        case .selector(var node):
            try once(node.offset)
            (node.offset, node.place) = (value, place)
            return .selector(node)
        case .range(var node):
            try once(node.selector.offset)
            (node.selector.offset, node.place) = (value, place)
            return .range(node)
        case .subquery(var node):
            try once(node.offset)
            (node.offset, node.place) = (value, place)
            return .subquery(node)
        default:
            throw failure(
                "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
                at: operand.place)
        }
    }

    /// One duration, possibly with a sign; arithmetic only in parentheses.
    private mutating func offsetValue() throws(QueryError) -> DurationExpression {
        if case .binary(let sign) = token.kind, sign == .add || sign == .subtract {
            advance()
            let value = try durationOperand("offset").asDuration
            return sign == .add ? value : value.negative
        }
        return try durationOperand("offset").asDuration
    }

    private mutating func at(_ operand: PromQLExpression) throws(QueryError) -> PromQLExpression {
        advance()
        let modifier: AtModifier
        let start = token.range
        switch token.kind {
        case .keyword(.start), .keyword(.end):
            modifier = advance().kind == .keyword(.start) ? .start : .end
            try expect(.leftParenthesis, "@ modifier", expected: "\"(\"")
            try expect(.rightParenthesis, "@ modifier", expected: "\")\"")
        default:
            guard
                case .some = [Token.Kind.number, .duration, .binary(.add), .binary(.subtract)].firstIndex(
                    of: token.kind)
            else {
                throw unexpected("@", expected: "timestamp")
            }
            let seconds = try signedNumber("@")
            guard seconds.isFinite, seconds.magnitude < 9.2e15 else {
                throw failure("timestamp out of bounds for @ modifier: \(PromQLNumber.format(seconds))", at: start)
            }
            modifier = .timestamp(Int64((seconds * 1000).rounded(.toNearestOrAwayFromZero)))
        }
        let place = operand.place.joined(previous.range)
        func once(_ existing: AtModifier?) throws(QueryError) {
            if existing != nil { throw failure("@ <timestamp> may not be set multiple times", at: operand.place) }
        }
        switch operand {
        case .selector(var node):
            try once(node.at)
            (node.at, node.place) = (modifier, place)
            return .selector(node)
        case .range(var node):
            try once(node.selector.at)
            (node.selector.at, node.place) = (modifier, place)
            return .range(node)
        case .subquery(var node):
            try once(node.at)
            (node.at, node.place) = (modifier, place)
            return .subquery(node)
        default:
            throw failure(
                "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery",
                at: operand.place)
        }
    }

    private mutating func bounded(
        _ operand: PromQLExpression, _ boundary: PromQLExpression.Boundary
    ) throws(QueryError) -> PromQLExpression {
        guard features.contains(.extendedRangeSelectors) else {
            throw failure("\(boundary.rawValue) modifier is experimental and not enabled", at: operand.place)
        }
        let found = advance()
        let place = operand.place.joined(found.range)
        switch operand {
        case .selector(var node) where node.boundary == .extrapolated && boundary == .smoothed:
            (node.boundary, node.place) = (boundary, place)
            return .selector(node)
        case .range(var node) where node.selector.boundary == .extrapolated:
            (node.selector.boundary, node.place) = (boundary, place)
            return .range(node)
        case .selector, .range:
            throw failure("\(boundary.rawValue) modifier may not be set here", at: found.range)
        default:
            throw failure(
                "\(boundary.rawValue) modifier must be preceded by an instant vector selector or range vector selector",
                at: operand.place)
        }
    }

    /// Arithmetic over durations, with PromQL's precedences.
    private mutating func durationExpression(_ context: String, tighterThan floor: Int = 0) throws(QueryError)
        -> DurationExpression
    {
        try nested { parser throws(QueryError) in
            var left: DurationExpression
            if case .binary(let sign) = parser.token.kind, sign == .add || sign == .subtract {
                parser.advance()
                let inner = try parser.durationExpression(context, tighterThan: BinaryOperator.multiply.precedence)
                left = sign == .subtract ? inner.negative : inner
            } else {
                left = try parser.durationOperand(context)
            }
            while case .binary(let operation) = parser.token.kind, operation.precedence > floor,
                [.add, .subtract, .multiply, .divide, .modulo, .power].contains(operation)
            {
                parser.advance()
                let right = try parser.durationExpression(
                    context, tighterThan: operation == .power ? operation.precedence - 1 : operation.precedence)
                left = .arithmetic(operation, left, right)
            }
            return left
        }
    }

    private mutating func durationOperand(_ context: String) throws(QueryError) -> DurationExpression {
        let start = token.range
        switch token.kind {
        case .number:
            let seconds = try number(context)
            guard seconds.isFinite, seconds.magnitude < 9e15 else { throw failure("duration out of range", at: start) }
            return .number(seconds)
        case .duration: return .literal(try duration())
        case .leftParenthesis:
            advance()
            let inner = try durationExpression(context)
            try expect(.rightParenthesis, context, expected: "\")\"")
            return .parentheses(inner)
        case .keyword(.step), .keyword(.range):
            let isStep = advance().kind == .keyword(.step)
            try expect(.leftParenthesis, context, expected: "\"(\"")
            try expect(.rightParenthesis, context, expected: "\")\"")
            return isStep ? .step : .range
        case .keyword(.minOf), .keyword(.maxOf):
            let isLeast = advance().kind == .keyword(.minOf)
            try expect(.leftParenthesis, context, expected: "\"(\"")
            let first = try durationExpression(context)
            try expect(.comma, context, expected: "\",\"")
            let second = try durationExpression(context)
            try expect(.rightParenthesis, context, expected: "\")\"")
            return isLeast ? .least(first, second) : .greatest(first, second)
        default: throw unexpected(context, expected: "number, duration, step(), or range()")
        }
    }
}
