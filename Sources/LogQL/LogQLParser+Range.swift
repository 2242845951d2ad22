import Query
import Telemetry

extension LogQLParser {
    /// What stands in the parentheses of a range aggregation; its parts come in several orders.
    private struct LogRange {
        var logs: LogSelector
        var unwrap: Unwrap?
        var range: Int64?
        var offset: Int64?
    }

    /// `rate({…} | … [5m] offset 1m) by (a)`.
    mutating func rangeAggregation(_ operation: RangeAggregation.Operation) throws(QueryError) -> MetricExpression {
        let start = index
        advance()
        try expect(.open)
        var parameter: Double?
        if case .number(let digits) = token.kind {
            advance()
            try expect(.comma)
            guard operation == .quantile else {
                throw invalid("parameter \(digits) not supported for operation \(operation.rawValue)", from: start)
            }
            parameter = try number(digits, from: start)
        }
        let inner = try logRange()
        guard let range = inner.range else { throw unexpected(expecting: "RANGE") }
        try expect(.close)
        let grouping = try rangeGrouping()
        if operation == .quantile, parameter == nil { throw invalid("parameter required for operation quantile_over_time", from: start) }
        let aggregation = RangeAggregation(
            operation: operation, parameter: parameter, logs: inner.logs, unwrap: inner.unwrap, range: range, offset: inner.offset ?? 0,
            grouping: grouping)
        try checkMatchers(aggregation.logs.matchers)
        try check(aggregation, from: start)
        return .range(aggregation)
    }

    /// `({…} | stages [5m] offset 1m)` without an aggregation around it.
    mutating func rangeOfLines() throws(QueryError) -> (logs: LogSelector, range: Int64, offset: Int64) {
        try expect(.open)
        let inner = try logRange()
        guard let range = inner.range else { throw unexpected(expecting: "RANGE") }
        try expect(.close)
        guard inner.unwrap == nil else { throw unexpected(expecting: "no unwrap") }
        return (inner.logs, range, inner.offset ?? 0)
    }

    private mutating func rangeGrouping() throws(QueryError) -> Grouping? {
        guard keyword == "by" || keyword == "without" else { return nil }
        let isWithout = keyword == "without"
        advance()
        try expect(.open)
        var labels: [String] = []
        while !isSymbol(.close) {
            labels.append(try expectIdentifier())
            guard take(.comma) else { break }
        }
        try expect(.close)
        return Grouping(isWithout: isWithout, labels: labels)
    }

    private func check(_ aggregation: RangeAggregation, from start: Int) throws(QueryError) {
        let operation = aggregation.operation
        if aggregation.grouping != nil {
            switch operation {
            case .average, .standardDeviation, .variance, .quantile, .maximum, .minimum, .first, .last: break
            default: throw invalid("grouping not allowed for \(operation.rawValue) aggregation", from: start)
            }
        }
        switch operation {
        case .count, .bytes, .bytesRate:
            if aggregation.unwrap != nil { throw invalid("invalid aggregation \(operation.rawValue) with unwrap", from: start) }
        case .rate, .absent: break
        default:
            if aggregation.unwrap == nil { throw invalid("invalid aggregation \(operation.rawValue) without unwrap", from: start) }
        }
    }

    private mutating func logRange() throws(QueryError) -> LogRange {
        var result: LogRange
        if take(.open) {
            result = try nested { parser throws(QueryError) in try parser.logRange() }
            try expect(.close)
        } else {
            result = LogRange(logs: LogSelector(matchers: try selector()))
        }
        try pipeline(&result.logs.stages, unwrap: &result.unwrap)
        if case .range(let range) = token.kind {
            guard result.range == nil else { throw unexpected(expecting: nil) }
            advance()
            result.range = range
            result.offset = try offset()
            // The pipeline may also come behind the range.
            try pipeline(&result.logs.stages, unwrap: &result.unwrap)
        }
        if result.range != nil, result.offset == nil { result.offset = try offset() }
        return result
    }

    private mutating func offset() throws(QueryError) -> Int64? {
        guard take(keyword: "offset") else { return nil }
        let sign: Int64 = take(.minus) ? -1 : 1
        guard case .duration(let nanoseconds) = token.kind else { throw unexpected(expecting: "DURATION") }
        advance()
        return sign * nanoseconds
    }
}
