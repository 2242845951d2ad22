import Query
import Telemetry

/// The instants that a metric query is evaluated at.
struct StepGrid: Sendable {
    /// Nanoseconds since the Unix epoch.
    var start: Int64
    var step: Int64
    var count: Int

    func time(_ index: Int) -> Int64 { start &+ Int64(index) &* step }
    var last: Int64 { time(count - 1) }
}

/// One series over all steps of a query.
struct StepSeries {
    var labels: Labels
    /// One a step; meaningless where ``present`` says that there is none.
    var values: [Double]
    var present: [Bool]

    init(labels: Labels, count: Int) {
        self.labels = labels
        values = [Double](repeating: 0, count: count)
        present = [Bool](repeating: false, count: count)
    }
}

/// What an expression yields over all steps.
enum Evaluated {
    case scalar(Double)
    case vector([StepSeries])
}

/// Evaluates metric expressions, all steps at once.
struct MetricEvaluator {
    let engine: LogQLEngine
    let grid: StepGrid
    let context: QueryContext
    var statistics = LogQLStatistics()

    mutating func evaluate(_ expression: MetricExpression) async throws(QueryError) -> Evaluated {
        try context.check()
        switch expression {
        case .number(let value): return .scalar(value)
        case .vector(let value):
            var series = StepSeries(labels: .empty, count: grid.count)
            for index in 0..<grid.count { (series.values[index], series.present[index]) = (value, true) }
            return .vector([series])
        case .range(let aggregation): return .vector(try await evaluate(aggregation, outer: nil))
        case .aggregation(let aggregation):
            if case .range(let inner) = aggregation.operand, let outer = aggregation.reduction(of: inner) {
                return .vector(aggregation.apply(try await evaluate(inner, outer: outer), grid))
            }
            guard case .vector(let series) = try await evaluate(aggregation.operand) else {
                throw QueryError(.execution, "\(aggregation.operation.rawValue) needs a vector, not a number")
            }
            return .vector(aggregation.apply(series, grid))
        case .binary(let binary):
            let left = try await evaluate(binary.left)
            let right = try await evaluate(binary.right)
            return try binary.apply(left, right, grid)
        case .variants(let variants): return .vector(try await evaluate(variants))
        case .labelReplace(let replace):
            guard case .vector(let series) = try await evaluate(replace.operand) else {
                throw QueryError(.execution, "label_replace needs a vector, not a number")
            }
            return .vector(try replace.apply(series))
        }
    }

    /// The value as series of points; a plain number as one without labels.
    mutating func matrix(_ expression: MetricExpression) async throws(QueryError) -> LogQLValue {
        let series: [StepSeries]
        switch try await evaluate(expression) {
        case .scalar(let value): series = try await vector(value)
        case .vector(let vector): series = vector
        }
        var result: [LogQLSeries] = []
        for one in series {
            var points = LogQLSeries(labels: one.labels, timestamps: [], values: [])
            for index in 0..<grid.count where one.present[index] {
                points.timestamps.append(grid.time(index))
                points.values.append(one.values[index])
            }
            if !points.timestamps.isEmpty { result.append(points) }
        }
        return .matrix(result.sorted { $0.labels < $1.labels })
    }

    private mutating func vector(_ value: Double) async throws(QueryError) -> [StepSeries] {
        guard case .vector(let series) = try await evaluate(.vector(value)) else { return [] }
        return series
    }

    func result(_ value: LogQLValue, since started: ContinuousClock.Instant) -> LogQLResult {
        var statistics = statistics
        statistics.seconds = (ContinuousClock.now - started).seconds
        return LogQLResult(value: value, statistics: statistics)
    }
}
