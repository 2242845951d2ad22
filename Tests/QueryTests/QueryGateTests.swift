import Query
import Synchronization
import Testing

@Suite("QueryGate")
struct QueryGateTests {
    @Test("never more run at once than it is wide, and all of them run")
    func width() async throws {
        let gate = QueryGate(width: 3)
        let executor = WorkerThreads(threadCount: 4)
        let running = RunningCount()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<40 {
                group.addTask {
                    try await gate.run("q\(index)", language: "PromQL", context: QueryContext(), on: executor) {
                        () async throws(QueryError) in
                        running.begin()
                        await Task.yield()
                        running.end()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(running.most <= 3)
        #expect(running.done == 40)
        #expect(gate.active.isEmpty)
    }

    @Test("a query that is cancelled while it waits leaves the line")
    func cancelWhileWaiting() async throws {
        let gate = QueryGate(width: 1)
        let executor = WorkerThreads(threadCount: 2)
        let (release, continuation) = AsyncStream.makeStream(of: Void.self)
        let first = Task {
            try await gate.run("first", language: "PromQL", context: QueryContext(), on: executor) {
                () async throws(QueryError) in
                for await _ in release { break }
            }
        }
        while gate.active.isEmpty { await Task.yield() }
        #expect(gate.active.first?.text == "first")
        let second = Task {
            try await gate.run("second", language: "PromQL", context: QueryContext(), on: executor) {
                () async throws(QueryError) in
            }
        }
        while gate.waitingCount == 0 { await Task.yield() }
        second.cancel()
        let outcome = await second.result
        #expect(throws: QueryError.self) { try outcome.get() }
        #expect(gate.waitingCount == 0)
        continuation.finish()
        try await first.value
    }

    @Test("a query runs on the executor's threads")
    func executor() async throws {
        let executor = WorkerThreads(threadCount: 1)
        let isThere = try await QueryGate().run("q", language: "PromQL", context: QueryContext(), on: executor) {
            () async throws(QueryError) in
            withUnsafeCurrentTask { $0?.unownedTaskExecutor == executor.asUnownedTaskExecutor() }
        }
        #expect(isThere)
    }

    @Test("a full line turns queries away")
    func fullLine() async throws {
        let gate = QueryGate(width: 1, lineLengthMax: 0)
        let executor = WorkerThreads(threadCount: 1)
        let (release, continuation) = AsyncStream.makeStream(of: Void.self)
        let first = Task {
            try await gate.run("first", language: "PromQL", context: QueryContext(), on: executor) {
                () async throws(QueryError) in
                for await _ in release { break }
            }
        }
        while gate.active.isEmpty { await Task.yield() }
        let error = await #expect(throws: QueryError.self) {
            try await gate.run("second", language: "PromQL", context: QueryContext(), on: executor) {
                () async throws(QueryError) in
            }
        }
        #expect(error?.code == .limit)
        continuation.finish()
        try await first.value
    }
}

/// How many bodies run now, and the most that ever did.
private final class RunningCount: Sendable {
    private let counts = Mutex((now: 0, most: 0, done: 0))

    func begin() {
        counts.withLock { counts in
            counts.now += 1
            counts.most = max(counts.most, counts.now)
        }
    }

    func end() {
        counts.withLock { counts in
            counts.now -= 1
            counts.done += 1
        }
    }

    var most: Int { counts.withLock(\.most) }
    var done: Int { counts.withLock(\.done) }
}
