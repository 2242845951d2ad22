package import Query
package import Telemetry

/// Evaluates PromQL over a store.
///
/// The engine is vectorised: a selector gives whole columns, an operator handles all steps of a query at once, series by series.
package struct PromQLEngine: Sendable {
    private let store: any TelemetryStore
    package let options: PromQLOptions

    package init(store: any TelemetryStore, options: PromQLOptions = PromQLOptions()) {
        self.store = store
        self.options = options
    }

    /// Evaluates a query at one instant.
    ///
    /// - Parameter time: milliseconds since the Unix epoch.
    package func instant(_ query: String, at time: Int64, context: QueryContext) async throws(QueryError)
        -> PromQLResult
    {
        try await instant(PromQLParser.parse(query, features: options.features), text: query, at: time, context: context)
    }

    /// Evaluates a query at the instants from `from` to `to`, `step` apart; all in milliseconds.
    package func range(
        _ query: String, from: Int64, to: Int64, step: Int64, context: QueryContext
    ) async throws(QueryError) -> PromQLResult {
        try await range(
            PromQLParser.parse(query, features: options.features), text: query, from: from, to: to, step: step,
            context: context)
    }

    /// The same engine with another lookback, in milliseconds.
    package func with(lookback: Int64) -> PromQLEngine {
        var options = options
        options.lookback = lookback
        return PromQLEngine(store: store, options: options)
    }

    /// Evaluates an expression that has been parsed already; `text` is what its places refer to.
    package func instant(
        _ expression: PromQLExpression, text: String, at time: Int64, context: QueryContext, plan: PlanRecorder? = nil
    ) async throws(QueryError) -> PromQLResult {
        try await recorded(text, from: time, to: time, step: 0, context) { () async throws(QueryError) in
            try await evaluate(expression, text: text, at: time, context: context, plan: plan)
        }
    }

    private func evaluate(
        _ expression: PromQLExpression, text: String, at time: Int64, context: QueryContext, plan: PlanRecorder?
    ) async throws(QueryError) -> PromQLResult {
        // Bounds keep every sum of times, ranges and offsets within 64 bits.
        try Self.check(time)
        let annotations = Annotations(text: text)
        let evaluator = Evaluator(
            store: store, options: options, context: context, annotations: annotations,
            query: Steps(start: time, step: 1, count: 1), plan: plan)
        let value: PromQLValue
        if expression.type == .matrix {
            value = .matrix(try await evaluator.matrix(expression).sorted { $0.labels < $1.labels })
        } else {
            switch try await evaluator.evaluate(expression.planned(), evaluator.query) {
            case .scalar(let values): value = .scalar(timestamp: time, value: values[0])
            case .string(let text): value = .string(timestamp: time, value: text)
            case .vector(let series):
                value = .vector(
                    try evaluator.withoutDroppedNames(series).compactMap { series in
                        if let histogram = series.histogram(at: 0) {
                            return VectorSample(labels: series.labels, timestamp: time, value: .histogram(histogram))
                        }
                        if Absent.holds(series.values[0]) { return nil }
                        return VectorSample(labels: series.labels, timestamp: time, value: .float(series.values[0]))
                    })
            }
        }
        return PromQLResult(value: value, warnings: annotations.warnings, infos: annotations.infos)
    }

    /// Evaluates an expression that has been parsed already; `text` is what its places refer to.
    package func range(
        _ expression: PromQLExpression, text: String, from: Int64, to: Int64, step: Int64, context: QueryContext,
        plan: PlanRecorder? = nil
    ) async throws(QueryError) -> PromQLResult {
        try await recorded(text, from: from, to: to, step: step, context) { () async throws(QueryError) in
            try await evaluate(expression, text: text, from: from, to: to, step: step, context: context, plan: plan)
        }
    }

    private func evaluate(
        _ expression: PromQLExpression, text: String, from: Int64, to: Int64, step: Int64, context: QueryContext,
        plan: PlanRecorder?
    ) async throws(QueryError) -> PromQLResult {
        try Self.check(from)
        try Self.check(to)
        guard step > 0 else {
            throw QueryError(
                .execution, "zero or negative query resolution step widths are not accepted. Try a positive integer")
        }
        guard expression.type == .vector || expression.type == .scalar else {
            throw QueryError(
                .execution,
                "invalid expression type \(expression.type.rawValue.quoted) for range query, must be Scalar or instant Vector"
            )
        }
        guard from <= to else { throw QueryError(.execution, "end timestamp must not be before start time") }
        let pointCount = (to - from) / step + 1
        guard pointCount <= Limits.pointCountMax else {
            throw QueryError(
                .execution,
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"
            )
        }
        let annotations = Annotations(text: text)
        let steps = Steps(start: from, step: step, count: Int(pointCount))
        let evaluator = Evaluator(
            store: store, options: options, context: context, annotations: annotations, query: steps, queryEnd: to,
            plan: plan)
        var series: [Series]
        switch try await evaluator.evaluate(expression.planned(), steps) {
        case .scalar(let values): series = [Series(labels: .empty, values: values)]
        case .vector(let vector): series = try evaluator.withoutDroppedNames(vector)
        case .string: series = []
        }
        series.sort { $0.labels < $1.labels }
        let matrix = series.compactMap { $0.points(steps) }
        return PromQLResult(value: .matrix(matrix), warnings: annotations.warnings, infos: annotations.infos)
    }

    private static func check(_ time: Int64) throws(QueryError) {
        guard time.magnitude <= 1 << 60 else { throw QueryError(.execution, "time \(time) is out of range") }
    }
}

extension Series {
    /// The samples with their times; nil where there is none.
    func points(_ steps: Steps) -> SeriesPoints? {
        var points = SeriesPoints(labels: labels, timestamps: [], values: [])
        points.timestamps.reserveCapacity(values.count)
        points.values.reserveCapacity(values.count)
        for (index, value) in values.enumerated() where !Absent.holds(value) {
            points.timestamps.append(steps.time(index))
            points.values.append(value)
        }
        if hasHistograms {
            for (index, histogram) in histograms.enumerated() {
                guard let histogram else { continue }
                points.histogramTimestamps.append(steps.time(index))
                points.histograms.append(histogram)
            }
        }
        return points.timestamps.isEmpty && points.histograms.isEmpty ? nil : points
    }
}
