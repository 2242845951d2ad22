import Query

extension TraceQLParser {
    /// How tight an operator binds between parts; nil for what is none. `&&` and `||` are equals, as in Tempo's grammar.
    private static func precedence(_ symbol: String) -> Int? {
        switch symbol {
        case "&&", "||": 1
        case "=", "!=", "<", "<=", ">", ">=", "=~", ">>", "<<", "~", "!>", "!>>", "!<", "!<<", "!~", "&>", "&>>", "&<",
            "&<<", "&~":
            2
        case "+", "-": 3
        case "*", "/", "%": 4
        case "^": 5
        default: nil
        }
    }

    /// Parts joined by operators of at least that precedence.
    mutating func part(_ precedence: Int) throws(QueryError) -> Part {
        var left = try operand()
        while case .symbol(let symbol) = token.kind, let own = Self.precedence(symbol), own >= precedence {
            let operatorIndex = index
            advance()
            let right = try nested { parser throws(QueryError) in try parser.part(symbol == "^" ? own : own + 1) }
            guard let joined = Self.join(left, symbol, right) else {
                throw .traceQL(
                    "syntax error: \(symbol) cannot stand between these", at: tokens[operatorIndex].range, in: text)
            }
            left = joined
        }
        return left
    }

    private static func join(_ left: Part, _ symbol: String, _ right: Part) -> Part? {
        if let leftSet = spanset(left), let rightSet = spanset(right) {
            return SpansetExpression.Operation(rawValue: symbol).map { .spanset(.binary($0, leftSet, rightSet)) }
        }
        guard let operation = FieldExpression.Operation(rawValue: symbol), !operation.isLogical, !operation.isRegex
        else { return nil }
        switch (left, right) {
        case (.constant(let left), .constant(let right)):
            return operation.isArithmetic ? StaticValue.arithmetic(operation, left, right).map { .constant($0) } : nil
        case (.scalar, .scalar), (.scalar, .constant), (.constant, .scalar):
            guard let left = scalar(left), let right = scalar(right) else { return nil }
            return operation.isArithmetic
                ? .scalar(.arithmetic(operation, left, right))
                : .filter(ScalarFilter(operation: operation, left: left, right: right))
        case (.metrics, .metrics), (.metrics, .constant), (.constant, .metrics):
            return metrics(left, operation, right)
        case (.aggregation(let aggregation), .constant(let value)):
            guard !operation.isArithmetic, let number = value.plainNumber else { return nil }
            return .metrics(
                .filter(.query(SpansetPipeline(stages: [.spanset(.filter(nil))]), aggregation), operation, number))
        case (.ranking(let isTop, let count), .constant(let value)):
            guard !operation.isArithmetic, let number = value.plainNumber else { return nil }
            return .metrics(.filter(.ranked(.constant(0), isTop: isTop, count), operation, number))
        default: return nil
        }
    }

    private static func spanset(_ part: Part) -> SpansetExpression? {
        switch part {
        case .spanset(let expression): expression
        case .pipeline(let pipeline): .pipeline(pipeline)
        default: nil
        }
    }

    /// Numbers and durations; an aggregate compares with nothing else.
    private static func scalar(_ part: Part) -> ScalarExpression? {
        switch part {
        case .scalar(let scalar): scalar
        case .constant(let value): value.isNumber ? .constant(value) : nil
        default: nil
        }
    }

    private static func metrics(_ left: Part, _ operation: FieldExpression.Operation, _ right: Part) -> Part? {
        func expression(_ part: Part) -> MetricsExpression? {
            switch part {
            case .metrics(let metrics): metrics
            // Durations take no part in arithmetic with metrics.
            case .constant(let value): value.plainNumber.map { .constant($0) }
            default: nil
            }
        }
        guard let left = expression(left), let right = expression(right) else { return nil }
        switch operation {
        case .add, .subtract, .multiply, .divide: return .metrics(.arithmetic(operation, left, right))
        case .modulo, .power: return nil
        default:
            guard case .constant(let value) = right else { return nil }
            return .metrics(.filter(left, operation, value))
        }
    }

    // MARK: Expressions over a span

    mutating func fieldExpression() throws(QueryError) -> FieldExpression {
        try nested { parser throws(QueryError) in try parser.fieldExpression(0) }
    }

    private mutating func fieldExpression(_ precedence: Int) throws(QueryError) -> FieldExpression {
        var left = try fieldOperand()
        while case .symbol(let symbol) = token.kind, let operation = FieldExpression.Operation(rawValue: symbol),
            let own = Self.precedence(symbol), own >= precedence
        {
            advance()
            let right = try nested { parser throws(QueryError) in
                try parser.fieldExpression(symbol == "^" ? own : own + 1)
            }
            left = .binary(operation, left, right)
        }
        return left
    }

    private mutating func fieldOperand() throws(QueryError) -> FieldExpression {
        if take("(") {
            let inner = try fieldExpression()
            try expect(")")
            return inner
        }
        if take("!") { return .not(try nested { parser throws(QueryError) in try parser.fieldExpression(4) }) }
        if isSymbol("-") {
            if index + 1 < tokens.count {
                switch tokens[index + 1].kind {
                case .int, .double, .duration: if let value = try constant() { return .constant(value) }
                default: break
                }
            }
            advance()
            return .negative(try nested { parser throws(QueryError) in try parser.fieldExpression(4) })
        }
        if let value = try constant() { return .constant(value) }
        return .field(try field())
    }

    /// A value, with its sign; nil where the word at hand is none.
    mutating func constant() throws(QueryError) -> StaticValue? {
        if isSymbol("-") {
            guard index + 1 < tokens.count else { return nil }
            let value: StaticValue
            switch tokens[index + 1].kind {
            case .int(let number): value = .int(-number)
            case .double(let number): value = .double(-number)
            case .duration(let number): value = .duration(-number)
            default: return nil
            }
            advance()
            advance()
            return value
        }
        let value: StaticValue
        switch token.kind {
        case .string(let text): value = .string(text)
        case .int(let number): value = .int(number)
        case .double(let number): value = .double(number)
        case .duration(let number): value = .duration(number)
        case .word(let word):
            guard let named = StaticValue(word: word) else { return nil }
            value = named
        default: return nil
        }
        advance()
        return value
    }
}

extension SpanField {
    /// - Parameter isLenient: any scope may stand before any intrinsic.
    init?(token: TraceQLToken.Kind, isLenient: Bool) {
        switch token {
        case .attribute(let scope, let name, let isParent):
            if isParent, scope == .any, let intrinsic = Intrinsic(bare: name) {
                self.init(.intrinsic(intrinsic), isParent: true)
            } else {
                self.init(.attribute(scope, name), isParent: isParent)
            }
        case .word("parent"): self.init(.parentSpan)
        case .word(let word):
            guard let intrinsic = Intrinsic(bare: word) else { return nil }
            self.init(.intrinsic(intrinsic))
        case .scoped(let scope, let name):
            if let intrinsic = Intrinsic(scope: scope, name: name) {
                self.init(.intrinsic(intrinsic))
            } else if isLenient, let intrinsic = Intrinsic(bare: name) {
                self.init(.intrinsic(intrinsic))
            } else {
                return nil
            }
        default: return nil
        }
    }
}

extension SpanField.Intrinsic {
    private static let bareNames: [String: SpanField.Intrinsic] = [
        "duration": .duration, "name": .name, "status": .status, "statusMessage": .statusMessage, "kind": .kind,
        "childCount": .childCount,
        "traceDuration": .traceDuration, "rootName": .rootName, "rootServiceName": .rootServiceName,
        "nestedSetLeft": .nestedSetLeft,
        "nestedSetRight": .nestedSetRight, "nestedSetParent": .nestedSetParent
    ]

    private static let scopedNames: [String: [String: SpanField.Intrinsic]] = [
        "span": [
            "duration": .duration, "name": .name, "status": .status, "statusMessage": .statusMessage, "kind": .kind,
            "id": .id,
            "parentID": .parentID, "childCount": .childCount
        ],
        "trace": ["duration": .traceDuration, "rootName": .rootName, "rootService": .rootServiceName, "id": .traceID],
        "event": ["name": .eventName, "timeSinceStart": .eventTimeSinceStart],
        "link": ["spanID": .linkSpanID, "traceID": .linkTraceID],
        "instrumentation": ["name": .instrumentationName, "version": .instrumentationVersion]
    ]

    init?(bare name: String) {
        guard let intrinsic = Self.bareNames[name] else { return nil }
        self = intrinsic
    }

    init?(scope: String, name: String) {
        if scope.isEmpty {
            self.init(bare: name)
            return
        }
        guard let intrinsic = Self.scopedNames[scope]?[name] else { return nil }
        self = intrinsic
    }

    /// Its name in results: `duration`, `span:id`.
    package var text: String {
        for (name, intrinsic) in Self.bareNames where intrinsic == self { return name }
        for (scope, names) in Self.scopedNames {
            for (name, intrinsic) in names where intrinsic == self { return "\(scope):\(name)" }
        }
        return rawValue
    }
}
