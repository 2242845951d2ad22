import Query

/// The threads on which a route's handler runs. Each change of thread costs a request some tens of µs.
package enum Workplace: Sendable {
    /// The connection's event loop: for handlers that answer from memory within some tens of µs.
    case eventLoop
    /// Threads for requests: for everything that may take its time.
    case shared
    /// The threads of queries, for handlers whose work is a query.
    case query

    /// Runs `body` there.
    func run(_ body: @Sendable @concurrent () async throws -> Answer) async throws -> Answer {
        switch self {
        case .eventLoop: try await body()
        case .shared: try await withTaskExecutorPreference(WorkerThreads.requests, operation: body)
        case .query: try await withTaskExecutorPreference(WorkerThreads.queries, operation: body)
        }
    }
}
