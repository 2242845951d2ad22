import Query
import Telemetry

extension LogQLParser {
    /// `variants(metric, …) of (selector | stages [range])`.
    mutating func variants() throws(QueryError) -> MetricExpression {
        let start = index
        advance()
        try expect(.open)
        var expressions: [MetricExpression] = []
        repeat {
            let first = index
            let expression = try nested { parser throws(QueryError) in try parser.expression(0) }
            guard case .metric(let metric) = expression else { throw invalid("a variant must be a metric query", from: first) }
            expressions.append(metric)
        } while take(.comma)
        try expect(.close)
        guard take(keyword: "of") else { throw unexpected(expecting: "of") }
        let inner = try rangeOfLines()
        try checkMatchers(inner.logs.matchers)
        guard expressions.allSatisfy(\.hasRange) else { throw invalid("a variant must aggregate lines over a range", from: start) }
        return .variants(Variants(expressions: expressions, logs: inner.logs, range: inner.range, offset: inner.offset))
    }
}

extension MetricExpression {
    /// It reads lines.
    var hasRange: Bool {
        switch self {
        case .number, .vector: false
        case .range, .variants: true
        case .aggregation(let aggregation): aggregation.operand.hasRange
        case .binary(let binary): binary.left.hasRange || binary.right.hasRange
        case .labelReplace(let replace): replace.operand.hasRange
        }
    }

    /// The same of those lines alone that `logs` selects and lets through.
    func narrowed(to logs: LogSelector) -> MetricExpression {
        switch self {
        case .number, .vector, .variants: return self
        case .range(var aggregation):
            aggregation.logs.matchers += logs.matchers.filter { !aggregation.logs.matchers.contains($0) }
            if !aggregation.logs.stages.starts(with: logs.stages) { aggregation.logs.stages = logs.stages + aggregation.logs.stages }
            return .range(aggregation)
        case .aggregation(var aggregation):
            aggregation.operand = aggregation.operand.narrowed(to: logs)
            return .aggregation(aggregation)
        case .binary(var binary):
            (binary.left, binary.right) = (binary.left.narrowed(to: logs), binary.right.narrowed(to: logs))
            return .binary(binary)
        case .labelReplace(var replace):
            replace.operand = replace.operand.narrowed(to: logs)
            return .labelReplace(replace)
        }
    }
}

extension MetricEvaluator {
    /// The series of all variants, each with the number of its variant.
    mutating func evaluate(_ variants: Variants) async throws(QueryError) -> [StepSeries] {
        var result: [StepSeries] = []
        for (index, expression) in variants.expressions.enumerated() {
            guard case .vector(let series) = try await evaluate(expression.narrowed(to: variants.logs)) else { continue }
            for var one in series {
                one.labels[Variants.labelName] = String(index)
                result.append(one)
            }
        }
        return result
    }
}
