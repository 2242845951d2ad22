import Query
import Telemetry

/// The evaluation of one query.
final class Evaluator: Sendable {
    let store: any TelemetryStore
    let options: PromQLOptions
    let context: QueryContext
    let annotations: Annotations
    /// The steps of the query as a whole: what `start()`, `end()`, `step()` and `range()` mean.
    let query: Steps
    let queryEnd: Int64
    /// Set where the plan is wanted.
    let plan: PlanRecorder?

    init(
        store: any TelemetryStore, options: PromQLOptions, context: QueryContext, annotations: Annotations,
        query: Steps,
        queryEnd: Int64? = nil, plan: PlanRecorder? = nil
    ) {
        self.store = store
        self.options = options
        self.context = context
        self.annotations = annotations
        self.query = query
        self.queryEnd = queryEnd ?? query.end
        self.plan = plan
    }

    /// The value of an expression at each of `steps`.
    func evaluate(_ expression: PromQLExpression, _ steps: Steps) async throws(QueryError) -> Value {
        guard let plan else { return try await compute(expression, steps) }
        plan.enter(expression, samples: context.samplesRead)
        let value = try await compute(expression, steps)
        let seriesCount = if case .vector(let series) = value { series.count } else { 0 }
        plan.leave(seriesCount: seriesCount, samples: context.samplesRead)
        return value
    }

    private func compute(_ expression: PromQLExpression, _ steps: Steps) async throws(QueryError) -> Value {
        try context.check()
        if steps.count > 1, expression.type == .vector, isInvariant(expression) {
            // The same at every step: evaluate it once.
            plan?.note("the same at every step: evaluated once")
            let once = try await compute(expression, Steps(start: steps.start, step: steps.step, count: 1))
            guard case .vector(let series) = once else { return once }
            return .vector(series.map { $0.repeated(steps.count) })
        }
        switch expression {
        case .number(let node): return .scalar(Array(repeating: node.value, count: steps.count))
        case .string(let node): return .string(node.value)
        case .parentheses(let node): return try await evaluate(node.expression, steps)
        case .selector(let node): return .vector(try await instantVector(node, steps))
        case .unary(let node): return try await unary(node, steps)
        case .binary(let node): return try await binary(node, steps)
        case .aggregation(let node): return .vector(try await aggregate(node, steps))
        case .call(let node): return try await call(node, steps)
        case .range, .subquery:
            throw QueryError(.execution, "a range vector has no value of its own within an expression")
        }
    }

    /// The value of an expression that is an instant vector.
    func vector(_ expression: PromQLExpression, _ steps: Steps) async throws(QueryError) -> [Series] {
        guard case .vector(let series) = try await evaluate(expression, steps) else { return [] }
        return series
    }

    /// The value of an expression that is a scalar.
    func scalar(_ expression: PromQLExpression, _ steps: Steps) async throws(QueryError) -> [Double] {
        guard case .scalar(let values) = try await evaluate(expression, steps) else { return [] }
        return values
    }

    /// The text of an expression that is a string.
    func string(_ expression: PromQLExpression) -> String {
        if case .string(let node) = expression.unwrapped { return node.value }
        return ""
    }

    /// A duration's milliseconds in this query.
    func milliseconds(_ duration: DurationExpression?, isPositive: Bool = false) throws(QueryError) -> Int64 {
        guard let duration else { return 0 }
        do throws(DurationExpression.Failure) {
            let value = try duration.milliseconds(
                step: query.count == 1 && query.step == 1 ? 0 : query.step, range: queryEnd - query.start)
            if isPositive && value <= 0 { throw DurationExpression.Failure(message: "duration must be greater than 0") }
            return value
        } catch {
            throw QueryError(.execution, error.message)
        }
    }

    /// The instants that a selector or subquery looks at: `steps`, moved by its modifiers.
    func instants(_ steps: Steps, at: AtModifier?, offset: DurationExpression?) throws(QueryError) -> Steps {
        var moved = steps
        switch at {
        case .timestamp(let time): (moved.start, moved.step) = (time, 0)
        case .start: (moved.start, moved.step) = (query.start, 0)
        case .end: (moved.start, moved.step) = (queryEnd, 0)
        case nil: break
        }
        moved.start -= try milliseconds(offset)
        guard moved.start.magnitude < 1 << 61 else { throw QueryError(.execution, "time is out of range") }
        return moved
    }

    /// Whether a vector is the same at every step: all its selectors are tied to an instant.
    private func isInvariant(_ expression: PromQLExpression) -> Bool {
        switch expression {
        case .number, .string: true
        case .selector(let node): node.at != nil
        case .range(let node): node.selector.at != nil
        case .subquery(let node): node.at != nil
        case .unary(let node): isInvariant(node.operand)
        case .parentheses(let node): isInvariant(node.expression)
        case .binary(let node): isInvariant(node.left) && isInvariant(node.right)
        case .aggregation(let node): isInvariant(node.expression) && node.parameter.map(isInvariant) ?? true
        case .call(let node):
            !Self.timeDependent.contains(node.function.name) && node.arguments.allSatisfy(isInvariant)
        }
    }

    /// Functions whose value depends on the instant of evaluation, whatever their arguments.
    private static let timeDependent: Set<String> = [
        "time", "timestamp", "predict_linear", "day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour",
        "minute", "month",
        "year", "info"
    ]

    // MARK: Names

    /// Marks a series whose value is no longer the metric's.
    func dropName(_ series: inout Series) {
        if options.delayedNameRemoval {
            series.dropsName = true
        } else {
            series.labels = series.labels.withoutMetadata
        }
    }

    /// Removes the names that operators have marked.
    func withoutDroppedNames(_ series: [Series]) throws(QueryError) -> [Series] {
        guard series.contains(where: \.dropsName) else { return try series.merged() }
        var result = series
        for index in result.indices where result[index].dropsName {
            result[index].labels = result[index].labels.withoutMetadata
        }
        return try result.merged()
    }
}
