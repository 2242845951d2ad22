package import Query

/// A query that has been evaluated, as a log of queries shows it.
package struct QueryRecord: Sendable {
    package var query: String
    /// Milliseconds since the Unix epoch.
    package var start: Int64
    package var end: Int64
    /// Milliseconds; 0 for one instant.
    package var step: Int64
    package var duration: Duration
    package var sampleCount: Int
    /// nil where it succeeded.
    package var error: QueryError?
    package var origin: PromQLOrigin?
}

/// Who asked a query.
package enum PromQLOrigin: Sendable, Hashable {
    case request(method: String, path: String)
    case rules(file: String, group: String)

    /// Of the task's queries.
    @TaskLocal package static var current: PromQLOrigin?

    /// Runs what asks queries.
    package func asking<Value>(_ body: () async throws(QueryError) -> Value) async throws(QueryError) -> Value {
        let outcome: Result<Value, QueryError> = await Self.$current.withValue(self) {
            do throws(QueryError) { return .success(try await body()) } catch { return .failure(error) }
        }
        return try outcome.get()
    }
}

extension PromQLEngine {
    /// Evaluates a query and tells the log of queries about it, where there is one.
    func recorded<Value>(
        _ query: String, from start: Int64, to end: Int64, step: Int64, _ context: QueryContext,
        _ evaluate: () async throws(QueryError) -> Value
    ) async throws(QueryError) -> Value {
        guard let didEvaluate = options.didEvaluate else { return try await evaluate() }
        let began = ContinuousClock.now
        let outcome: Result<Value, QueryError>
        do throws(QueryError) {
            outcome = .success(try await evaluate())
        } catch {
            outcome = .failure(error)
        }
        var record = QueryRecord(
            query: query, start: start, end: end, step: step, duration: ContinuousClock.now - began, sampleCount: context.samplesRead,
            origin: PromQLOrigin.current)
        if case .failure(let error) = outcome { record.error = error }
        didEvaluate(record)
        return try outcome.get()
    }
}
