import Synchronization

/// Lets so many queries run at once; the others wait in line. It also knows which ones are running.
package final class QueryGate: Sendable {
    /// A query that is running.
    package struct ActiveQuery: Sendable, Hashable {
        package var id: UInt64
        /// `PromQL`, `LogQL`, …
        package var language: String
        package var text: String
        package var start: ContinuousClock.Instant
    }

    private struct State: Sendable {
        var freeCount: Int
        var nextID: UInt64 = 0
        /// Those that wait, in the order in which they came.
        var line: [(id: UInt64, continuation: CheckedContinuation<Bool, Never>)] = []
        /// Cancelled before they could get in line.
        var gone: Set<UInt64> = []
        var active: [UInt64: ActiveQuery] = [:]
    }

    private let lineLengthMax: Int
    private let state: Mutex<State>

    /// - Parameters:
    ///   - width: how many run at once; 20 is Prometheus' `--query.max-concurrency`.
    ///   - lineLengthMax: how many may wait before new ones are turned away.
    package init(width: Int = 20, lineLengthMax: Int = 1_000) {
        self.lineLengthMax = lineLengthMax
        state = Mutex(State(freeCount: max(width, 1)))
    }

    /// The queries that run now, oldest first.
    package var active: [ActiveQuery] {
        state.withLock { $0.active.values.sorted { $0.id < $1.id } }
    }

    /// How many wait.
    package var waitingCount: Int { state.withLock(\.line.count) }

    /// Runs `body` on the query executor when it is its turn.
    ///
    /// - Throws: ``QueryError`` with code `timeout` or `cancelled` where its turn came too late or its task was cancelled while
    ///   it waited, with code `limit` where too many wait, or what `body` throws.
    package func run<Result: Sendable>(
        _ text: String, language: String, context: QueryContext, on executor: WorkerThreads = .queries,
        _ body: @Sendable @escaping @concurrent () async throws(QueryError) -> Result
    ) async throws(QueryError) -> Result {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await enter(id)
        state.withLock { $0.active[id] = ActiveQuery(id: id, language: language, text: text, start: .now) }
        defer { leave(id) }
        try context.check()
        let outcome: Swift.Result<Result, QueryError> = await withTaskExecutorPreference(executor) {
            do throws(QueryError) { return .success(try await body()) } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    private func enter(_ id: UInt64) async throws(QueryError) {
        enum Entry { case now, full, wait }
        let entry = state.withLock { state -> Entry in
            if state.freeCount > 0 {
                state.freeCount -= 1
                return .now
            }
            return state.line.count < lineLengthMax ? .wait : .full
        }
        switch entry {
        case .now: return
        case .full: throw QueryError(.limit, "too many queries are waiting: try again later")
        case .wait: break
        }
        let isAdmitted = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if state.gone.remove(id) != nil { return false }
                    if state.freeCount > 0 {
                        state.freeCount -= 1
                        return true
                    }
                    state.line.append((id, continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiting = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                guard let index = state.line.firstIndex(where: { $0.id == id }) else {
                    state.gone.insert(id)
                    return nil
                }
                return state.line.remove(at: index).continuation
            }
            waiting?.resume(returning: false)
        }
        state.withLock { _ = $0.gone.remove(id) }
        guard isAdmitted else { throw QueryError(.cancelled, "query was canceled") }
    }

    private func leave(_ id: UInt64) {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            state.active[id] = nil
            guard !state.line.isEmpty else {
                state.freeCount += 1
                return nil
            }
            return state.line.removeFirst().continuation
        }
        next?.resume(returning: true)
    }
}
