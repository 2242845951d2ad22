import Query
import Telemetry

/// Runs queries: a few at once, on threads of their own, each with its own budget, stopped when its client goes, and counted.
struct QueryRunner: Sendable {
    let metrics: ServerMetrics
    let limits: QueryContext.Limits
    let gate: QueryGate

    /// Runs one query.
    ///
    /// - Parameters:
    ///   - language: its name in the metrics.
    ///   - text: the query, for those who look at what is running.
    ///   - timeout: what the client asks for; at most what the limits allow.
    func run<Value: Sendable>(
        _ language: String, _ text: String = "", for call: Call, timeout: Duration? = nil,
        _ body: @Sendable @escaping @concurrent (QueryContext) async throws(QueryError) -> Value
    ) async throws(QueryError) -> Value {
        var limits = limits
        if let timeout { limits.timeout = min(timeout, limits.timeout) }
        let context = QueryContext(limits: limits)
        let gate = gate
        let start = ContinuousClock.now
        let outcome: Result<Value, QueryError> = await call.connection.whileOpen(onClose: { context.cancel() }) {
            do throws(QueryError) {
                let value = try await gate.run(text, language: language, context: context) { () async throws(QueryError) -> Value in
                    try await body(context)
                }
                return .success(value)
            } catch {
                return .failure(error)
            }
        }
        if case .failure = outcome {
            metrics.queried(language: language, after: ContinuousClock.now - start, isFailure: true)
        } else {
            metrics.queried(language: language, after: ContinuousClock.now - start, isFailure: false)
        }
        return try outcome.get()
    }
}

extension QueryError {
    /// What a query that reads the store itself throws, as an error of queries.
    static func reading<Value>(_ body: () async throws -> Value) async throws(QueryError) -> Value {
        do {
            return try await body()
        } catch let error as QueryError {
            throw error
        } catch let error as StoreError {
            throw QueryError(.storage, error.description)
        } catch is CancellationError {
            throw QueryError(.cancelled, "query was canceled")
        } catch {
            throw QueryError(.storage, "\(error)")
        }
    }
}
