package import Query
package import Telemetry

/// Runs a script against the engine, each evaluation in the variants that Prometheus' own runner tries.
package struct PromQLScriptRunner {
    /// How the evaluations of a script went.
    package struct Outcome: Sendable {
        package var passed = 0
        /// One for each evaluation that failed; one more where the script ended early because a `load` failed.
        package var failures: [ScriptError] = []
    }

    private var store = MemoryStore()
    private var engine: PromQLEngine
    private let options: PromQLOptions

    init() {
        var options = PromQLOptions()
        options.delayedNameRemoval = true
        self.options = options
        engine = PromQLEngine(store: store, options: options)
    }

    /// Runs a whole script.
    ///
    /// - Throws: ``ScriptError`` where the text is no script: then nothing of it has run.
    package static func run(_ text: String) async throws(ScriptError) -> Outcome {
        var runner = PromQLScriptRunner()
        var outcome = Outcome()
        for command in try PromQLScript.read(text).commands {
            switch command {
            case .clear: runner = PromQLScriptRunner()
            case .load(let load):
                do throws(ScriptError) {
                    try await runner.load(load)
                } catch {
                    outcome.failures.append(error)
                    return outcome
                }
            case .evaluate(let evaluation):
                do {
                    try await runner.evaluate(evaluation)
                    outcome.passed += 1
                } catch {
                    let message = Self.message(error)
                    outcome.failures.append(
                        ScriptError(line: evaluation.line, message: "\(evaluation.query): \(message)"))
                }
            }
        }
        return outcome
    }

    /// A store with what the `load` commands of a script say.
    package static func store(_ text: String) async throws(ScriptError) -> MemoryStore {
        var runner = PromQLScriptRunner()
        for case .load(let load) in try PromQLScript.read(text).commands { try await runner.load(load) }
        return runner.store
    }

    // MARK: Loading

    private mutating func load(_ load: PromQLScript.Load) async throws(ScriptError) {
        var last: [Labels: Int] = [:]
        for (index, series) in load.series.enumerated() { last[series.labels] = index }
        var batch = TelemetryBatch()
        for (index, series) in load.series.enumerated() where last[series.labels] == index {
            try batch.metrics.append(series, spacing: load.spacing, line: load.line)
        }
        if load.derivesNative {
            for series in try DerivedHistograms(load.series, line: load.line).series {
                try batch.metrics.append(series, spacing: load.spacing, line: load.line)
            }
        }
        do throws(StoreError) {
            try await store.append(batch)
        } catch {
            throw ScriptError(line: load.line, message: error.description)
        }
    }

    // MARK: Evaluating

    private static func message(_ error: any Error) -> String {
        (error as? ScriptError)?.message ?? "expected no failure, got \(error)"
    }

    private func evaluate(_ evaluation: PromQLScript.Evaluation) async throws {
        let expression = try PromQLParser.parse(evaluation.query)
        if let step = evaluation.step {
            try await check(evaluation) {
                try await engine.range(
                    evaluation.query, from: evaluation.start, to: evaluation.end, step: step, context: QueryContext())
            }
            return
        }
        try await instant(evaluation, evaluation.query, at: evaluation.start)
        guard !Self.dependsOnTime(expression) else { return }
        let tied = "\(expression.tied(to: evaluation.start))"
        let time = evaluation.start
        let others = time == 0 ? [-1000, 0, 1000] : [-10 * time, 0, time / 5, time, 10 * time]
        for other in others {
            do { try await instant(evaluation, tied, at: other) } catch {
                throw ScriptError(line: evaluation.line, message: "as \(tied) at \(other): \(Self.message(error))")
            }
        }
    }

    private func instant(_ evaluation: PromQLScript.Evaluation, _ query: String, at time: Int64) async throws {
        try await check(evaluation) { try await engine.instant(query, at: time, context: QueryContext()) }
        if evaluation.fails != nil || evaluation.string != nil || evaluation.rangeVector != nil { return }
        if ["start()", "end()", "range()", "step()"].contains(where: query.contains) { return }
        let result = try await engine.range(
            query, from: time - 60_000, to: time + 60_000, step: 60_000, context: QueryContext())
        guard !evaluation.isOrdered, case .matrix(let matrix) = result.value else { return }
        var plain = evaluation
        (plain.warnings, plain.infos, plain.noWarnings, plain.noInfos) = ([], [], false, false)
        let middle: PromQLValue
        if evaluation.scalar != nil {
            middle = .scalar(timestamp: time, value: matrix.first?.sample(at: time)?.float ?? .nan)
        } else {
            middle = .vector(
                matrix.compactMap { points in
                    points.sample(at: time).map { VectorSample(labels: points.labels, timestamp: time, value: $0) }
                })
        }
        do { try plain.compare(PromQLResult(value: middle, warnings: [], infos: [])) } catch {
            throw ScriptError(line: evaluation.line, message: "as a range: \(Self.message(error))")
        }
    }

    private func check(_ evaluation: PromQLScript.Evaluation, _ run: () async throws -> PromQLResult) async throws {
        let result: PromQLResult
        do { result = try await run() } catch let error as QueryError {
            guard let pattern = evaluation.fails else { throw error }
            guard pattern.matches(error.message) else {
                throw ScriptError(
                    line: evaluation.line, message: "expected a failure with \(pattern.text ?? ""), got \(error.message)")
            }
            return
        }
        if evaluation.fails != nil {
            throw ScriptError(line: evaluation.line, message: "expected a failure, got \(result.value)")
        }
        try evaluation.compare(result)
    }

    /// Functions whose result depends on when they are asked, even if all selectors are tied.
    private static func dependsOnTime(_ expression: PromQLExpression) -> Bool {
        let names: Set = [
            "days_in_month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute", "month", "year",
            "predict_linear", "time",
            "timestamp", "start", "end", "range", "step"
        ]
        if case .call(let call) = expression, names.contains(call.function.name) { return true }
        return expression.children.contains(where: dependsOnTime)
    }
}

extension MetricBatch {
    /// Adds a series whose first value belongs to `start` and the others `spacing` apart, all in milliseconds.
    package mutating func append(
        _ series: ScriptSeries, from start: Int64 = 0, spacing: Int64, line: Int
    ) throws(ScriptError) {
        let (length, overflowed) = Int64(series.values.count).multipliedReportingOverflow(by: spacing)
        guard !overflowed, length < 1 << 61, start.magnitude < 1 << 61 else {
            throw ScriptError(line: line, message: "the samples of \(series.labels) reach beyond the end of time")
        }
        let index = addSeries(series.labels)
        for (position, value) in series.values.enumerated() {
            let time = start + Int64(position) * spacing
            if position < series.startOffsets.count, let offset = series.startOffsets[position], time + offset != 0 {
                startTimes.append((series: index, timestamp: time, start: time + offset))
            }
            switch value {
            case .none: break
            case .float(let value): append(series: index, timestamp: time, value: value)
            case .histogram(let histogram, _): histograms.append((series: index, timestamp: time, histogram: histogram))
            }
        }
    }
}

extension SeriesPoints {
    fileprivate func sample(at time: Int64) -> PromQLSampleValue? {
        if let index = timestamps.firstIndex(of: time) { return .float(values[index]) }
        if let index = histogramTimestamps.firstIndex(of: time) { return .histogram(histograms[index]) }
        return nil
    }
}

extension PromQLSampleValue {
    fileprivate var float: Double? {
        if case .float(let value) = self { return value }
        return nil
    }
}

extension PromQLExpression {
    /// The expression with every selector and subquery tied to an instant.
    fileprivate func tied(to time: Int64) -> PromQLExpression {
        func at(_ existing: AtModifier?) -> AtModifier {
            if case .timestamp = existing { return existing ?? .timestamp(time) }
            return .timestamp(time)
        }
        switch self {
        case .number, .string: return self
        case .selector(var node):
            node.at = at(node.at)
            return .selector(node)
        case .range(var node):
            node.selector.at = at(node.selector.at)
            return .range(node)
        case .subquery(var node):
            node.at = at(node.at)
            return .subquery(node)
        case .unary(var node):
            node.operand = node.operand.tied(to: time)
            return .unary(node)
        case .binary(var node):
            node.left = node.left.tied(to: time)
            node.right = node.right.tied(to: time)
            return .binary(node)
        case .aggregation(var node):
            node.expression = node.expression.tied(to: time)
            node.parameter = node.parameter?.tied(to: time)
            return .aggregation(node)
        case .call(var node):
            node.arguments = node.arguments.map { argument in
                // The matchers of `info` are no selector of their own.
                if node.function.name == "info", argument != node.arguments.first { return argument }
                return argument.tied(to: time)
            }
            return .call(node)
        case .parentheses(var node):
            node.expression = node.expression.tied(to: time)
            return .parentheses(node)
        }
    }
}
