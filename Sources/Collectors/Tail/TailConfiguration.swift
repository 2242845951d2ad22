package import Telemetry

/// Log files to follow.
package struct TailConfiguration: Sendable, Hashable {
    /// How the lines of a file are wrapped.
    package enum Format: String, Sendable, Hashable, CaseIterable {
        /// A line is a line.
        case plain
        /// Docker's json-file driver.
        case docker
        /// What Kubernetes' container runtimes write.
        case cri
    }

    /// Tells its remembered positions from those of others; part of no label.
    package var name: String
    /// Globs (``FileGlob``) of the files wanted and of those left out.
    package var include: [String]
    package var exclude: [String]
    /// The labels of its streams; `filename` is added.
    package var labels: Labels
    package var format: Format

    package init(
        name: String, include: [String], exclude: [String] = [], labels: Labels = .empty, format: Format = .plain
    ) {
        self.name = name
        self.include = include
        self.exclude = exclude
        self.labels = labels
        self.format = format
    }
}

/// How the tailer reads.
package struct TailOptions: Sendable {
    /// How often files are looked at, where the kernel does not tell of changes.
    package var pollInterval = Duration.milliseconds(250)
    /// … and where it does: new files and those of network file systems show up no later.
    package var watchedPollInterval = Duration.seconds(1)
    /// How long a change is let be before it is read, so that a busy writer does not wake us for each line.
    package var gatherInterval = Duration.milliseconds(10)
    /// A last line without its newline is taken as whole when the file has not grown for so long.
    package var partialLineTimeout = Duration.seconds(5)
    /// How long a file that was renamed away or deleted must be as it is before it is let go: its writer may not have noticed yet.
    package var orphanTimeout = Duration.seconds(60)
    /// Loki's default (`max_line_size`); a longer line is cut and its metadata says how long it was.
    package var lineByteCountMax = 256 << 10
    /// Bytes read of one file before the next one has its turn.
    package var chunkByteCount = 1 << 20
    /// Bytes of lines that are handed over at once.
    package var batchByteCountMax = 4 << 20
    /// Files followed at once: each holds a descriptor open.
    package var fileCountMax = 4_096

    package init() {}
}

/// A file that is followed.
package struct TailedFileSnapshot: Sendable, Hashable {
    package var configuration: String
    package var path: String
    /// Bytes read and stored.
    package var offset: Int64
    package var size: Int64
}
