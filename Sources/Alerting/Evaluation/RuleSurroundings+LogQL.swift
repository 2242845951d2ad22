import LogQL
import PromQL
import Query
import Telemetry

extension RuleSurroundings {
    /// Evaluates a LogQL query to a vector, as Loki's ruler does; a scalar becomes a sample without labels.
    func logVector(_ query: String, at time: Int64) async throws(QueryError) -> [VectorSample] {
        let outcome: Result<LogQLResult, QueryError> = await withTaskExecutorPreference(WorkerThreads.queries) {
            do throws(QueryError) {
                return .success(try await evaluateLogs(query, at: time))
            } catch {
                return .failure(error)
            }
        }
        switch try outcome.get().value {
        case .vector(let samples):
            return samples.map { VectorSample(labels: $0.labels, timestamp: time, value: .float($0.value)) }
        case .scalar(_, let value): return [VectorSample(labels: .empty, timestamp: time, value: .float(value))]
        case .streams, .matrix: throw QueryError(.execution, "rule result is not a vector or scalar")
        }
    }

    @concurrent
    private func evaluateLogs(_ query: String, at time: Int64) async throws(QueryError) -> LogQLResult {
        try await LogQLEngine(store: store).instant(
            query, at: time.multipliedReportingOverflow(by: 1_000_000).partialValue, context: QueryContext())
    }
}
