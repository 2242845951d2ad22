package import Query
import Telemetry

/// Reads TraceQL by recursive descent.
package struct TraceQLParser {
    /// What a part of a query stands for: which operators may join it depends on that.
    indirect enum Part {
        case spanset(SpansetExpression)
        /// A pipeline of more than one stage, in parentheses.
        case pipeline(SpansetPipeline)
        case scalar(ScalarExpression)
        case filter(ScalarFilter)
        case constant(StaticValue)
        case metrics(MetricsExpression)
        case stage(SpansetStage)
        /// `rate()` behind a `|`.
        case aggregation(MetricsExpression.Aggregation)
        case ranking(isTop: Bool, Int)
    }

    let text: String
    var tokens: [TraceQLToken]
    var index = 0
    private var depth = 0

    private static let depthMax = 200
    private static let byteCountMax = 131_072

    /// Reads and checks a query.
    package static func parse(_ text: String) throws(QueryError) -> TraceQLQuery {
        let query = try parseUnchecked(text)
        do {
            try query.validate()
        } catch {
            throw QueryError(
                .parse, "invalid TraceQL query: \(error.description)",
                at: QueryError.Place(start: 0, end: text.utf8.count, in: text))
        }
        return query
    }

    /// Reads a query whose types may not fit.
    package static func parseUnchecked(_ text: String) throws(QueryError) -> TraceQLQuery {
        guard text.utf8.count <= byteCountMax else {
            throw QueryError(.parse, "invalid TraceQL query: it is longer than \(byteCountMax) bytes")
        }
        var parser = TraceQLParser(text: text, tokens: try TraceQLLexer.tokens(text))
        if let field = parser.bareField() {
            return TraceQLQuery(body: .search(SpansetPipeline(stages: [.spanset(.filter(.field(field)))])))
        }
        let body = try parser.root()
        let hints = try parser.hints()
        guard parser.token.kind == .end else { throw parser.unexpected(nil) }
        return TraceQLQuery(body: body, hints: hints)
    }

    private init(text: String, tokens: [TraceQLToken]) {
        self.text = text
        self.tokens = tokens
    }

    // MARK: Words

    var token: TraceQLToken { tokens[index] }

    func isSymbol(_ symbol: String) -> Bool { token.kind == .symbol(symbol) }

    func isWord(_ word: String) -> Bool { token.kind == .word(word) }

    mutating func advance() { if index + 1 < tokens.count { index += 1 } }

    mutating func take(_ symbol: String) -> Bool {
        guard isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: String) throws(QueryError) {
        guard take(symbol) else { throw unexpected(symbol) }
    }

    func unexpected(_ wanted: String?) -> QueryError {
        .traceQL(
            "syntax error: unexpected \(token.name)" + (wanted.map { ", expecting \($0)" } ?? ""), at: token.range,
            in: text)
    }

    func error(_ message: String) -> QueryError {
        .traceQL("syntax error: \(message)", at: token.range, in: text)
    }

    mutating func nested<Result>(_ body: (inout TraceQLParser) throws(QueryError) -> Result) throws(QueryError)
        -> Result
    {
        depth += 1
        guard depth <= Self.depthMax else { throw error("the query nests more than \(Self.depthMax) levels deep") }
        let result = try body(&self)
        depth -= 1
        return result
    }

    /// A property alone stands for the spans that have it; here every scope may stand before every intrinsic.
    private func bareField() -> SpanField? {
        guard tokens.count == 2 else { return nil }
        return SpanField(token: tokens[0].kind, isLenient: true)
    }

    // MARK: Pipelines

    private mutating func root() throws(QueryError) -> TraceQLQuery.Body {
        let start = index
        switch try pipeline() {
        case .spanset(let expression): return .search(SpansetPipeline(stages: [.spanset(expression)]))
        case .pipeline(let pipeline): return .search(pipeline)
        case .filter(let filter): return .search(SpansetPipeline(stages: [.filter(filter)]))
        case .stage(let stage): return .search(SpansetPipeline(stages: [stage]))
        case .metrics(let metrics): return .metrics(metrics)
        case .scalar, .constant, .aggregation, .ranking:
            throw .traceQL("syntax error: a number alone is no query", at: tokens[start].range, in: text)
        }
    }

    /// Stages joined by `|`.
    private mutating func pipeline() throws(QueryError) -> Part {
        var result = try nested { parser throws(QueryError) in try parser.part(0) }
        switch result {
        case .stage(.coalesce): throw error("coalesce() cannot open a pipeline")
        case .ranking: throw error("topk and bottomk stand behind a metrics function")
        case .aggregation(let aggregation):
            result = .metrics(.query(SpansetPipeline(stages: [.spanset(.filter(nil))]), aggregation))
        default: break
        }
        while isSymbol("|") {
            advance()
            let next = try nested { parser throws(QueryError) in try parser.part(0) }
            result = try join(result, next)
        }
        return result
    }

    private func join(_ left: Part, _ right: Part) throws(QueryError) -> Part {
        if case .metrics(let metrics) = left {
            guard let joined = Self.second(metrics, right) else {
                throw error("this stage cannot follow a metrics function")
            }
            return .metrics(joined)
        }
        guard var stages = Self.stages(left) else { throw error("a number is no stage of a pipeline") }
        switch right {
        case .spanset(let expression): stages.append(.spanset(expression))
        case .pipeline(let pipeline): stages.append(.spanset(.pipeline(pipeline)))
        case .filter(let filter): stages.append(.filter(filter))
        case .stage(let stage): stages.append(stage)
        case .aggregation(let aggregation): return .metrics(.query(SpansetPipeline(stages: stages), aggregation))
        case .metrics(let metrics):
            // `{ } | rate() > 5`: the comparison was read before the pipe was known.
            guard let attached = Self.attach(SpansetPipeline(stages: stages), to: metrics) else {
                throw error("this stage cannot stand here")
            }
            return .metrics(attached)
        case .scalar(let scalar): return .scalar(.pipeline(SpansetPipeline(stages: stages), scalar))
        case .constant, .ranking: throw error("this stage cannot stand here")
        }
        return .pipeline(SpansetPipeline(stages: stages))
    }

    static func stages(_ part: Part) -> [SpansetStage]? {
        switch part {
        case .spanset(let expression): [.spanset(expression)]
        case .pipeline(let pipeline): pipeline.stages
        case .filter(let filter): [.filter(filter)]
        case .stage(let stage): [stage]
        default: nil
        }
    }

    /// `topk(5)` and `topk(5) > 10` behind a metrics query.
    private static func second(_ metrics: MetricsExpression, _ part: Part) -> MetricsExpression? {
        switch part {
        case .ranking(let isTop, let count): return .ranked(metrics, isTop: isTop, count)
        case .metrics(.filter(.ranked(.constant, let isTop, let count), let operation, let value)):
            return .filter(.ranked(metrics, isTop: isTop, count), operation, value)
        default: return nil
        }
    }

    /// Puts the spans that a function (with a comparison behind it) measures before it.
    private static func attach(_ pipeline: SpansetPipeline, to metrics: MetricsExpression) -> MetricsExpression? {
        switch metrics {
        case .query(_, let aggregation): return .query(pipeline, aggregation)
        case .filter(let inner, let operation, let value):
            return attach(pipeline, to: inner).map { .filter($0, operation, value) }
        default: return nil
        }
    }

    private mutating func hints() throws(QueryError) -> [String: StaticValue] {
        guard isWord("with") else { return [:] }
        advance()
        try expect("(")
        var hints: [String: StaticValue] = [:]
        while true {
            guard case .word(let name) = token.kind else { throw unexpected("a hint") }
            advance()
            try expect("=")
            guard let value = try constant() else { throw unexpected("a value") }
            hints[name] = value
            guard take(",") else { break }
        }
        try expect(")")
        return hints
    }

    // MARK: Operands

    mutating func operand() throws(QueryError) -> Part {
        switch token.kind {
        case .symbol("{"): return .spanset(try filter())
        case .symbol("("):
            advance()
            let inner = try pipeline()
            try expect(")")
            if case .constant(let value) = inner, !value.isNumber { throw error("parentheses hold pipelines") }
            return inner
        case .symbol("-"), .int, .double, .duration:
            guard let value = try constant() else { throw unexpected(nil) }
            return .constant(value)
        case .word(let word): return try function(word)
        default: throw unexpected(nil)
        }
    }

    /// `{ … }`.
    mutating func filter() throws(QueryError) -> SpansetExpression {
        try expect("{")
        if take("}") { return .filter(nil) }
        let expression = try fieldExpression()
        try expect("}")
        return .filter(expression)
    }

    private mutating func function(_ word: String) throws(QueryError) -> Part {
        guard index + 1 < tokens.count, tokens[index + 1].kind == .symbol("(") else { throw unexpected(nil) }
        if let aggregate = ScalarExpression.Aggregate(rawValue: word) {
            advance()
            try expect("(")
            let argument = aggregate == .count ? nil : try fieldExpression()
            try expect(")")
            return .scalar(.aggregate(aggregate, argument))
        }
        if let function = MetricsExpression.Function(rawValue: word) {
            return .aggregation(try metricsFunction(function))
        }
        switch word {
        case "by":
            advance()
            try expect("(")
            let expression = try fieldExpression()
            try expect(")")
            return .stage(.group(expression))
        case "coalesce":
            advance()
            try expect("(")
            try expect(")")
            return .stage(.coalesce)
        case "select":
            advance()
            return .stage(.select(try fieldList()))
        case "topk", "bottomk":
            advance()
            try expect("(")
            guard case .int(let count) = token.kind else { throw unexpected("INTEGER") }
            advance()
            try expect(")")
            return .ranking(isTop: word == "topk", Int(clamping: count))
        default: throw unexpected(nil)
        }
    }

    /// `(a, b)`, at least one.
    mutating func fieldList() throws(QueryError) -> [SpanField] {
        try expect("(")
        var fields: [SpanField] = []
        repeat { fields.append(try field()) } while take(",")
        try expect(")")
        return fields
    }

    mutating func field() throws(QueryError) -> SpanField {
        guard let field = SpanField(token: token.kind, isLenient: false) else {
            throw unexpected("an attribute or intrinsic")
        }
        advance()
        return field
    }

    private mutating func metricsFunction(_ function: MetricsExpression.Function) throws(QueryError)
        -> MetricsExpression.Aggregation
    {
        var result = MetricsExpression.Aggregation(function: function)
        advance()
        try expect("(")
        switch function {
        case .rate, .countOverTime: break
        case .compare:
            result.selection = try filter()
            // How many values to name, and from when to when.
            while take(",") { guard try constant() != nil else { throw unexpected("INTEGER") } }
        default: result.field = try field()
        }
        if function == .quantileOverTime {
            while take(",") {
                guard let value = try constant()?.double else { throw unexpected("FLOAT") }
                result.quantiles.append(value)
            }
            guard !result.quantiles.isEmpty else { throw unexpected("a quantile") }
        }
        try expect(")")
        if isWord("by") {
            advance()
            result.grouping = try fieldList()
        }
        return result
    }
}
