package import Telemetry

extension EmbeddedStore {
    /// How a store behaves.
    package struct Options: Sendable {
        /// Where everything lies; made where it does not exist.
        package var dataFolder: String
        /// How long rows of a signal are kept; older ones are refused, and whole days go when their last instant is older.
        package var retention: [Signal: Duration]
        /// Bytes that a signal's parts and indexes may take on disk: beyond it the oldest days go, whole days, today's never.
        package var diskBudget: [Signal: Int] = [:]
        /// Writes are refused while less is free on the disk, so that flushes and merges have room; nil: 1 %, 64 MiB to 4 GiB.
        package var diskReserveByteCount: Int?
        /// How far ahead of the clock a row may lie.
        package var futureBound: Duration = .seconds(3600)
        /// A memtable is flushed when all of them together hold this much…
        package var flushByteCount = 64 << 20
        /// … or when its oldest row came this long ago.
        package var flushAge: Duration = .seconds(300)
        /// Appends wait while this much waits for the log or for a flush…
        package var waitingByteCountMax = 192 << 20
        /// … and are refused (`.overloaded`) where it takes longer than this, or where as many wait as may.
        package var overloadPatience: Duration = .seconds(10)
        package var waitingAppendCountMax = 64
        package var fileSystem: any FileSystem = PosixFileSystem()
        /// Opens the catalogue of the data folder, where small state is kept; nil: batches with state are refused.
        package var catalog: (@Sendable (_ dataFolder: String) throws(StoreError) -> any StateCatalog)?
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
