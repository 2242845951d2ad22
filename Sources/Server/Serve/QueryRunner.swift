import Query

/// Runs queries: each with its own budget, stopped when its client goes, and counted.
struct QueryRunner: Sendable {
    let metrics: ServerMetrics
    let limits: QueryContext.Limits

    /// Runs one query.
    ///
    /// - Parameters:
    ///   - language: its name in the metrics.
    ///   - timeout: what the client asks for; at most what the limits allow.
    func run<Value: Sendable>(
        _ language: String, for call: Call, timeout: Duration? = nil, _ body: (QueryContext) async throws -> Value
    ) async throws -> Value {
        var limits = limits
        if let timeout { limits.timeout = min(timeout, limits.timeout) }
        let context = QueryContext(limits: limits)
        let start = ContinuousClock.now
        do {
            let value = try await call.connection.whileOpen(onClose: { context.cancel() }) {
                try await body(context)
            }
            metrics.queried(language: language, after: ContinuousClock.now - start, isFailure: false)
            return value
        } catch {
            metrics.queried(language: language, after: ContinuousClock.now - start, isFailure: true)
            throw error
        }
    }
}
