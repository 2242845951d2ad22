package import Query
package import Telemetry

/// Answers LogQL queries from a store.
package struct LogQLEngine: Sendable {
    package struct Options: Sendable {
        /// Lines get a `detected_level` where they have none, as in Loki.
        package var detectsLevel = true
        /// How many steps a range query may have: Loki's bound.
        package var stepCountMax = 11_000
        /// How many series a metric query may make: Loki's default is 500, which real dashboards meet.
        package var seriesCountMax = 100_000

        package init() {}
    }

    let store: any TelemetryStore
    let options: Options

    package init(store: any TelemetryStore, options: Options = Options()) {
        self.store = store
        self.options = options
    }

    /// The value of a metric query at one instant (nanoseconds).
    ///
    /// - Throws: ``QueryError``; a query for lines has no value at an instant.
    package func instant(
        _ query: String, at time: Int64, limit: Int = 100, direction: LogQLDirection = .backward, context: QueryContext
    ) async throws(QueryError) -> LogQLResult {
        switch try LogQLParser.parse(query) {
        case .logs:
            throw QueryError(
                .parse,
                "log queries are not supported as an instant query type, "
                    + "please change your query to a range query type")
        case .metric(let expression): return try await instant(expression, at: time, context: context)
        }
    }

    /// The value of a parsed metric query at one instant: what rules run.
    package func instant(
        _ expression: MetricExpression, at time: Int64, context: QueryContext
    ) async throws(QueryError) -> LogQLResult {
        let started = ContinuousClock.now
        var evaluator = MetricEvaluator(engine: self, grid: StepGrid(start: time, step: 1, count: 1), context: context)
        let value: LogQLValue
        switch try await evaluator.evaluate(expression) {
        case .scalar(let number): value = .scalar(timestamp: time, value: number)
        case .vector(let series):
            let samples = series.filter { $0.present[0] }.map { LogQLSample(labels: $0.labels, timestamp: time, value: $0.values[0]) }
            value = .vector(expression.isSorted ? samples : samples.sorted { $0.labels < $1.labels })
        }
        return evaluator.result(value, since: started)
    }

    /// The lines or the numbers of a query between two instants (nanoseconds): lines from `from` up to, not including, `to`;
    /// numbers at `from`, `from + step`, … up to and including `to`.
    ///
    /// - Parameter interval: how far apart lines must lie at least, in nanoseconds; 0: all lines.
    package func range(
        _ query: String, from: Int64, to: Int64, step: Int64, limit: Int = 100, direction: LogQLDirection = .backward,
        interval: Int64 = 0, context: QueryContext
    ) async throws(QueryError) -> LogQLResult {
        guard from <= to else { throw QueryError(.execution, "the end of the range lies before its start") }
        switch try LogQLParser.parse(query) {
        case .logs(let selector):
            let range = TimeRange(from, to > from ? to - 1 : from)
            guard interval == 0 else {
                return try await lines(
                    selector, in: range, spacedBy: interval, limit: limit, direction: direction, context: context)
            }
            return try await lines(selector, in: range, limit: limit, direction: direction, context: context)
        case .metric(let expression):
            guard step > 0 else {
                throw QueryError(
                    .execution,
                    "zero or negative query resolution step widths are not accepted. "
                        + "Try a positive integer")
            }
            let (width, overflow) = to.subtractingReportingOverflow(from)
            guard !overflow, width / step < Int64(options.stepCountMax) else {
                throw QueryError(
                    .execution,
                    "exceeded maximum resolution of \(options.stepCountMax) points per time series. "
                        + "Try increasing the value of the step parameter")
            }
            let started = ContinuousClock.now
            var evaluator = MetricEvaluator(
                engine: self, grid: StepGrid(start: from, step: step, count: Int(width / step) + 1), context: context)
            let value = try await evaluator.matrix(expression)
            return evaluator.result(value, since: started)
        }
    }

    /// Runs what reads the store, and turns its errors into errors of the query.
    static func reading<Result>(_ body: () async throws -> Result) async throws(QueryError) -> Result {
        do {
            return try await body()
        } catch let error as QueryError {
            throw error
        } catch let error as StoreError {
            throw QueryError(error.code == .invalidPattern ? .parse : .storage, error.description)
        } catch is CancellationError {
            throw QueryError(.cancelled, "query was canceled")
        } catch {
            throw QueryError(.storage, "\(error)")
        }
    }
}

extension LogQLEngine {
    /// Below that many streams one core is as quick.
    private static let dividedStreamCountMin = 4

    /// Runs `body` for shares of the streams, as many at once as there are cores.
    func divided<Result: Sendable>(
        _ streams: [TelemetryStream], _ body: @escaping @Sendable ([TelemetryStream]) async throws -> Result
    ) async throws(QueryError) -> [Result] {
        let shareCount = streams.count < Self.dividedStreamCountMin ? 1 : WorkerThreads.coreCount
        guard shareCount > 1 else { return [try await Self.reading { try await body(streams) }] }
        var shares = [[TelemetryStream]](repeating: [], count: shareCount)
        for (index, stream) in streams.enumerated() { shares[index % shareCount].append(stream) }
        let all = shares
        return try await Self.reading {
            try await withThrowingTaskGroup(of: (Int, Result).self) { group in
                for (index, share) in all.enumerated() { group.addTask { (index, try await body(share)) } }
                var results: [(Int, Result)] = []
                for try await result in group { results.append(result) }
                return results.sorted { $0.0 < $1.0 }.map(\.1)
            }
        }
    }
}

extension MetricExpression {
    /// Its order is the answer's.
    fileprivate var isSorted: Bool {
        guard case .aggregation(let aggregation) = self else { return false }
        return [.sort, .sortDescending, .topk, .bottomk, .approximateTopK].contains(aggregation.operation)
    }
}

extension Duration {
    /// Its length in seconds.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
