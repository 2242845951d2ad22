package import Telemetry

extension EmbeddedStore {
    /// How a store behaves.
    package struct Options: Sendable {
        /// Where everything lies; made where it does not exist.
        package var dataFolder: String
        /// How long rows of a signal are kept; older ones are refused, and whole days go when their last instant is older.
        package var retention: [Signal: Duration]
        /// How far ahead of the clock a row may lie.
        package var futureBound: Duration = .seconds(3600)
        /// A memtable is flushed when all of them together hold this much…
        package var flushByteCount = 64 << 20
        /// … or when its oldest row came this long ago.
        package var flushAge: Duration = .seconds(300)
        /// Appends are refused (`.overloaded`) while this much waits for the log or for a flush.
        package var waitingByteCountMax = 192 << 20
        package var fileSystem: any FileSystem = PosixFileSystem()
        package var time: TimeSource = .system
        /// Hears of what an operator should know.
        package var log: @Sendable (StoreEvent) -> Void = { _ in }

        /// Another one in tests, where labels must collide.
        var streamHash: @Sendable (Signal, Labels, Resource) -> UInt64 = { StreamHash.id($0, $1, $2) }

        package init(dataFolder: String, retention: Duration = .seconds(30 * 86_400)) {
            self.dataFolder = dataFolder
            self.retention = [:]
            for signal in Signal.allCases { self.retention[signal] = retention }
        }
    }
}

/// Something that an operator should know of.
package struct StoreEvent: Sendable, Hashable {
    package enum Level: Sendable, Hashable {
        case info, warning, error
    }

    package var level: Level
    /// A sentence with the file and offset where there is one.
    package var message: String
}

/// Tells the operator, and counts.
final class StoreReporter: Sendable {
    private let log: @Sendable (StoreEvent) -> Void
    let counters = StoreCounters()

    init(_ log: @escaping @Sendable (StoreEvent) -> Void) {
        self.log = log
    }

    func info(_ message: String) { log(StoreEvent(level: .info, message: message)) }
    func warning(_ message: String) { log(StoreEvent(level: .warning, message: message)) }
    func error(_ message: String) { log(StoreEvent(level: .error, message: message)) }

    /// Damage on disk that was left out.
    func quarantine(_ message: String) {
        counters.update { $0.quarantined += 1 }
        error(message)
    }
}
