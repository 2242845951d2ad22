import Synchronization
import Telemetry

/// Tells those who listen of every log line, once it is stored.
final class LiveLogs: Sendable {
    private struct State {
        var nextID = 0
        var mailboxes: [Int: LogMailbox] = [:]
    }

    private let state = Mutex(State())

    /// Whether nobody listens: then nothing is kept for them.
    var isQuiet: Bool { state.withLock(\.mailboxes.isEmpty) }
    /// How many listen.
    var count: Int { state.withLock(\.mailboxes.count) }

    func publish(_ logs: LogBatch) {
        for mailbox in state.withLock({ Array($0.mailboxes.values) }) { mailbox.put(logs) }
    }

    /// Fills a mailbox with every batch stored from now on, until the subscription is let go of.
    func subscribe(_ mailbox: LogMailbox) -> Subscription {
        let id = state.withLock { state in
            state.nextID += 1
            state.mailboxes[state.nextID] = mailbox
            return state.nextID
        }
        return Subscription { [self] in state.withLock { _ = $0.mailboxes.removeValue(forKey: id) } }
    }

    /// Gives `body` every batch stored from now on, through a mailbox.
    func listening<Value>(_ mailbox: LogMailbox, _ body: () async throws -> Value) async rethrows -> Value {
        let subscription = subscribe(mailbox)
        defer { subscription.cancel() }
        return try await body()
    }

    /// Ends when it is cancelled or nobody holds it any more.
    final class Subscription: Sendable {
        let cancel: @Sendable () -> Void

        init(cancel: @escaping @Sendable () -> Void) { self.cancel = cancel }

        deinit { cancel() }
    }
}

/// Batches of log lines that wait for one listener; what does not fit is dropped and counted, so that a slow one holds up nobody.
final class LogMailbox: Sendable {
    /// A line that was dropped.
    struct Dropped: Sendable, Hashable {
        var timestamp: Int64
        var labels: Labels
    }

    private struct State {
        var batches: [LogBatch] = []
        var byteCount = 0
        var dropped: [Dropped] = []
        var droppedCount = 0
    }

    /// A second of a very busy server.
    private static let byteCountMax = 32 << 20
    /// As many as Loki names in an answer.
    private static let droppedCountMax = 1_000

    private let state = Mutex(State())
    private let isWanted: @Sendable (Labels) -> Bool
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    /// - Parameter isWanted: whether the listener may want lines of a stream.
    init(isWanted: @escaping @Sendable (Labels) -> Bool) {
        self.isWanted = isWanted
        (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func put(_ logs: LogBatch) {
        var wanted = LogBatch()
        wanted.streams = logs.streams.filter { isWanted($0.labels) }
        guard !wanted.isEmpty else { return }
        let size = wanted.streams.reduce(0) { $0 + $1.entries.bytes.count + $1.entries.count * 32 }
        state.withLock { state in
            if state.byteCount + size <= Self.byteCountMax || state.batches.isEmpty {
                state.batches.append(wanted)
                state.byteCount += size
                return
            }
            state.droppedCount += wanted.entryCount
            for stream in wanted.streams {
                for timestamp in stream.entries.timestamps.prefix(Self.droppedCountMax - state.dropped.count) {
                    state.dropped.append(Dropped(timestamp: timestamp, labels: stream.labels))
                }
            }
        }
        signal.yield()
    }

    /// What has come since the last call.
    func take() -> (batches: [LogBatch], dropped: [Dropped]) {
        state.withLock { state in
            defer { state = State() }
            return (state.batches, state.dropped)
        }
    }

    /// Wakes the listener when there is something, or nothing more will come: `nil` ends.
    var wakes: AsyncStream<Void> { signals }
    func wake() { signal.yield() }
    func end() { signal.finish() }
}
