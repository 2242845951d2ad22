import Patterns
import Query
import Telemetry

extension LogQLParser {
    /// Operands and operators of at least that precedence.
    mutating func expression(_ precedence: Int) throws(QueryError) -> LogQLExpression {
        let start = index
        var left = try nested { parser throws(QueryError) in try parser.operand() }
        while let operation = binaryOperator, operation.precedence >= precedence {
            let operatorIndex = index
            advance()
            guard case .metric(let leftMetric) = left else {
                throw invalid("unexpected type for left leg of binary operation (\(operation.rawValue)): log selector", from: start)
            }
            let (returnsBool, matching) = try modifiers(of: operation)
            let rightStart = index
            // `^` groups to the right, all others to the left.
            let right = try nested { parser throws(QueryError) in
                try parser.expression(operation == .power ? operation.precedence : operation.precedence + 1)
            }
            guard case .metric(let rightMetric) = right else {
                throw invalid("unexpected type for right leg of binary operation (\(operation.rawValue)): log selector", from: rightStart)
            }
            if operation.isSet {
                for (side, name) in [(leftMetric, "left"), (rightMetric, "right")] {
                    if let number = side.constant {
                        throw invalid(
                            "unexpected literal for \(name) leg of logical/set binary operation (\(operation.rawValue)): "
                                + NumberText.shortest(number), from: operatorIndex)
                    }
                }
            }
            let binary = BinaryOperation(
                operation: operation, returnsBool: returnsBool, matching: matching, left: leftMetric, right: rightMetric)
            // Numbers alone are a number.
            left = .metric(MetricExpression.binary(binary).constant.map { .number($0) } ?? .binary(binary))
        }
        return left
    }

    private var binaryOperator: BinaryOperation.Operation? {
        switch token.kind {
        case .symbol(let symbol): BinaryOperation.Operation(rawValue: symbol.rawValue)
        case .identifier: keyword.flatMap { BinaryOperation.Operation(rawValue: $0) }
        default: nil
        }
    }

    /// `bool`, `on (…)`, `ignoring (…)`, `group_left (…)`, `group_right (…)`.
    private mutating func modifiers(
        of operation: BinaryOperation.Operation
    ) throws(QueryError) -> (Bool, BinaryOperation.Matching?) {
        let start = index
        let returnsBool = take(keyword: "bool")
        if returnsBool, operation.comparison == nil {
            throw invalid("bool modifier can only be used on comparison operators", from: start)
        }
        guard keyword == "on" || keyword == "ignoring" else { return (returnsBool, nil) }
        var matching = BinaryOperation.Matching(isOn: keyword == "on")
        advance()
        matching.labels = try labelList()
        if keyword == "group_left" || keyword == "group_right" {
            if operation.isSet { throw invalid("no grouping allowed for set operations", from: start) }
            matching.cardinality = keyword == "group_left" ? .manyToOne : .oneToMany
            advance()
            if isSymbol(.open), isLabelList { matching.include = try labelList() }
        }
        return (returnsBool, matching)
    }

    /// Whether the parenthesis at hand holds label names and no expression.
    private var isLabelList: Bool {
        var position = index + 1
        while position < tokens.count {
            switch tokens[position].kind {
            case .symbol(.close): return true
            case .identifier, .symbol(.comma): position += 1
            default: return false
            }
        }
        return false
    }

    private mutating func labelList() throws(QueryError) -> [String] {
        try expect(.open)
        var labels: [String] = []
        while !isSymbol(.close) {
            labels.append(try expectIdentifier())
            guard take(.comma) else { break }
        }
        try expect(.close)
        return labels
    }

    private mutating func operand() throws(QueryError) -> LogQLExpression {
        let start = index
        switch token.kind {
        case .symbol(.openBrace): return try logs()
        case .symbol(.open):
            advance()
            let inner = try expression(0)
            try expect(.close)
            guard case .logs(var selector) = inner else { return inner }
            var unwrap: Unwrap?
            try pipeline(&selector.stages, unwrap: &unwrap)
            if unwrap != nil { throw unexpected(expecting: "RANGE") }
            return .logs(selector)
        case .symbol(.plus), .symbol(.minus):
            let sign = isSymbol(.minus) ? -1.0 : 1.0
            advance()
            guard case .number(let digits) = token.kind else { throw unexpected(expecting: "NUMBER") }
            advance()
            return .metric(.number(sign * (try number(digits, from: start))))
        case .number(let digits):
            advance()
            return .metric(.number(try number(digits, from: start)))
        case .identifier:
            return .metric(try function())
        default: throw unexpected(expecting: nil)
        }
    }

    private mutating func logs() throws(QueryError) -> LogQLExpression {
        var selector = LogSelector(matchers: try selector())
        var unwrap: Unwrap?
        try pipeline(&selector.stages, unwrap: &unwrap)
        if unwrap != nil {
            throw .logQL("syntax error: unexpected unwrap outside a range aggregation", at: token.range, in: text)
        }
        return .logs(selector)
    }

    private mutating func function() throws(QueryError) -> MetricExpression {
        let name = keyword ?? ""
        if name == "vector", follows(.open) { return try vectorFunction() }
        if name == "label_replace", follows(.open) { return try labelReplace() }
        if name == "variants", follows(.open) { return try variants() }
        if let operation = RangeAggregation.Operation(rawValue: name), follows(.open) { return try rangeAggregation(operation) }
        if let operation = VectorAggregation.Operation(rawValue: name) {
            let next = tokens[min(index + 1, tokens.count - 1)].kind
            if case .identifier(let word) = next, ["by", "without"].contains(word.lowercased()) {
                return try vectorAggregation(operation)
            }
            if follows(.open) { return try vectorAggregation(operation) }
        }
        throw unexpected(expecting: nil)
    }

    private mutating func vectorFunction() throws(QueryError) -> MetricExpression {
        advance()
        try expect(.open)
        let start = index
        guard case .number(let digits) = token.kind else { throw unexpected(expecting: "NUMBER") }
        advance()
        let value = try number(digits, from: start)
        try expect(.close)
        return .vector(value)
    }

    private mutating func labelReplace() throws(QueryError) -> MetricExpression {
        let start = index
        advance()
        try expect(.open)
        let operand = try metric(from: start)
        var arguments: [String] = []
        for _ in 0..<4 {
            try expect(.comma)
            arguments.append(try expectString())
        }
        try expect(.close)
        do {
            _ = try Pattern("^(?:\(arguments[3]))$")
        } catch {
            throw invalid("invalid regex in label_replace: \(error.message)", from: start)
        }
        return .labelReplace(
            LabelReplace(
                operand: operand, destination: arguments[0], replacement: arguments[1], source: arguments[2], pattern: arguments[3]))
    }

    private mutating func metric(from start: Int) throws(QueryError) -> MetricExpression {
        guard case .metric(let metric) = try expression(0) else {
            throw unexpected(expecting: "RANGE")
        }
        return metric
    }

    private mutating func grouping() throws(QueryError) -> Grouping? {
        guard keyword == "by" || keyword == "without" else { return nil }
        let isWithout = keyword == "without"
        advance()
        return Grouping(isWithout: isWithout, labels: try labelList())
    }

    private mutating func vectorAggregation(_ operation: VectorAggregation.Operation) throws(QueryError) -> MetricExpression {
        let start = index
        advance()
        var grouping = try grouping()
        try expect(.open)
        var parameter: Int?
        if case .number(let digits) = token.kind, follows(.comma) {
            guard operation.takesParameter else {
                throw invalid("unsupported parameter for operation \(operation.rawValue)(\(digits),", from: start)
            }
            guard let value = Int(digits) else {
                throw invalid("invalid parameter \(operation.rawValue)(\(digits),", from: start)
            }
            guard value >= 1 else {
                throw invalid("invalid parameter (must be greater than 0) \(operation.rawValue)(\(digits)", from: start)
            }
            parameter = value
            advance()
            advance()
        }
        let operand = try metric(from: start)
        try expect(.close)
        if operation.takesParameter, parameter == nil {
            throw invalid("parameter required for operation \(operation.rawValue)", from: start)
        }
        if let trailing = try self.grouping() {
            if grouping != nil { throw invalid("duplicate grouping in \(operation.rawValue)", from: start) }
            grouping = trailing
        }
        if grouping != nil, [.sort, .sortDescending, .approximateTopK].contains(operation) {
            throw invalid("grouping not allowed for \(operation.rawValue) aggregation", from: start)
        }
        // `by ()` means no grouping.
        if let empty = grouping, !empty.isWithout, empty.labels.isEmpty { grouping = nil }
        return .aggregation(
            VectorAggregation(operation: operation, parameter: parameter ?? 0, grouping: grouping, operand: operand))
    }
}
