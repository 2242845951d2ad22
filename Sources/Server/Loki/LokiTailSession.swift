import LogQL
import Query
import Synchronization
import Telemetry

/// One client that tails.
struct LokiTailSession: Sendable {
    private typealias Line = (labels: Labels, entry: LogQLEntry)

    /// Lines of one message, as Loki sends them.
    private static let lineCountMax = 100
    /// How often a quiet connection hears a ping.
    private static let pingInterval = Duration.seconds(5)

    private let tail: TailQuery
    /// Nanoseconds that a line waits for older ones that come later.
    private let delay: Int64
    /// nil: the messages of Loki's first API.
    private let json: LokiJSON?
    private let live: LiveLogs
    private let time: TimeSource
    private let mailbox: LogMailbox
    private let history: @Sendable () async throws -> LogQLResult

    init(
        tail: TailQuery, delay: Int64, json: LokiJSON?, live: LiveLogs, time: TimeSource,
        history: @escaping @Sendable () async throws -> LogQLResult
    ) {
        self.tail = tail
        self.delay = delay
        self.json = json
        self.live = live
        self.time = time
        self.history = history
        mailbox = LogMailbox { [matchers = tail.matchers] labels in matchers.holds(labels) }
    }

    /// Ends ``run(on:)``.
    func end() { mailbox.end() }

    func run(on socket: WebSocket) async throws {
        try await live.listening(mailbox) {
            // Listening begins before the past is read, so that no line falls between; what is in both is sent once.
            let past = try await history()
            var seen: Set<LogQLEntry> = []
            if case .streams(let streams) = past.value {
                let lines = streams.flatMap { stream in stream.entries.map { (labels: stream.labels, entry: $0) } }
                seen = Set(lines.map(\.entry))
                try await send(lines.sorted { $0.entry.timestamp < $1.entry.timestamp }, [], to: socket)
            }
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    while true {
                        try await Task.sleep(for: Self.pingInterval)
                        try await socket.ping()
                        mailbox.wake()
                    }
                }
                if delay > 0 {
                    tasks.addTask {
                        while true {
                            try await Task.sleep(for: .milliseconds(250))
                            mailbox.wake()
                        }
                    }
                }
                try await follow(seen, socket)
                tasks.cancelAll()
                while let result = await tasks.nextResult() {
                    if case .failure(let error) = result, !(error is CancellationError) { throw error }
                }
            }
        }
    }

    private func follow(_ past: Set<LogQLEntry>, _ socket: WebSocket) async throws {
        var past = past
        var waiting: [Line] = []
        for await _ in mailbox.wakes {
            let (batches, dropped) = mailbox.take()
            for batch in batches {
                for line in tail.take(batch) where past.remove(line.entry) == nil { waiting.append(line) }
            }
            // Stable: lines of one instant stay in the order in which they came.
            waiting.sort { $0.entry.timestamp < $1.entry.timestamp }
            let due = delay == 0 ? waiting.count : waiting.prefix { $0.entry.timestamp <= time.nanoseconds - delay }.count
            if due > 0 || !dropped.isEmpty { try await send(Array(waiting.prefix(due)), dropped, to: socket) }
            waiting.removeFirst(due)
        }
    }

    private func send(_ lines: [Line], _ dropped: [LogMailbox.Dropped], to socket: WebSocket) async throws {
        var dropped = dropped
        var start = 0
        repeat {
            let piece = Array(lines[start..<min(start + Self.lineCountMax, lines.count)])
            if !piece.isEmpty || !dropped.isEmpty {
                try await socket.send(text: json.map { $0.tail(piece, dropped) } ?? LokiLegacyJSON.tail(piece, dropped))
            }
            dropped = []
            start += piece.count
        } while start < lines.count
    }
}

/// A query that is tailed. Its compiled stages reuse their memory from line to line: one task at a time runs it.
final class TailQuery: Sendable {
    let selector: LogSelector
    let matchers: MatcherTest
    private let tail: Mutex<LogQLTail>

    init(_ query: String) throws(QueryError) {
        let tail = try LogQLTail(query)
        (selector, matchers) = (tail.selector, tail.matchers)
        self.tail = Mutex(tail)
    }

    func take(_ batch: LogBatch) -> [(labels: Labels, entry: LogQLEntry)] { tail.withLock { $0.take(batch) } }
}
