/// Everything that writes telemetry, and everything that reads it, does so through this protocol.
///
/// A store is safe to use from any task. Reads see every write whose `append` has returned.
package protocol TelemetryStore: Sendable {
    /// Stores `batch` and returns when it is durable: synced to the write-ahead log, or whatever the store's counterpart is.
    ///
    /// - Throws: ``StoreError``; then nothing of `batch` is guaranteed to be kept, and nothing is half a row, unless
    ///   ``StoreError/refusedRowCount`` says that only some rows were refused and all else was stored.
    func append(_ batch: consuming TelemetryBatch) async throws(StoreError)

    /// Finds series by their encoded labels; nil where the store has no such directory.
    var seriesDirectory: (any SeriesDirectory)? { get }

    /// The streams whose labels satisfy all `matchers` and that may have rows within `range`. A matcher on an absent label
    /// compares with the empty string.
    ///
    /// - Parameter limit: stop after so many (nil: all).
    /// - Throws: ``StoreError/invalidPattern`` for a regular expression that RE2 does not take.
    func streams(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange, limit: Int?
    ) async throws(StoreError) -> [TelemetryStream]

    /// The label names of the streams that match, sorted in byte order.
    func labelNames(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String]

    /// The values that label `name` takes in the streams that match, sorted in byte order.
    func labelValues(
        _ name: String, _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String]

    /// Which labels make the streams that match many: counts by name, value and metric, each list cut off behind `limit` entries.
    func cardinality(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange, limit: Int
    ) async throws(StoreError) -> Cardinality

    /// Hands over the rows that `request` asks for, block by block, on the caller's task, until there is no more or `body`
    /// says stop. A scan sees one state of the store, whatever is flushed, merged or written meanwhile.
    ///
    /// - Throws: ``StoreError``, `CancellationError` when the task is cancelled, or what `body` throws.
    func scan(_ request: ScanRequest, _ body: (Block) throws -> ScanControl) async throws

    /// The exemplars of the series that match, by series, oldest first.
    func exemplars(
        matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [(series: Labels, exemplars: [Exemplar])]

    /// What is known of metric families: all of them, or the one named.
    func metadata(family: String?) async throws(StoreError) -> [MetricMetadata]

    /// Deletes the rows within `range` of the streams whose labels satisfy all `matchers`, as far as they were written before: no
    /// read sees them once this returns, and no restart brings them back. Listings of streams and labels may name the streams still.
    ///
    /// - Throws: ``StoreError``; then any of the rows may be deleted or not.
    func delete(_ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange) async throws(StoreError)

    /// Figures about the store, for its own metrics and the status pages.
    func statistics() async -> StoreStatistics
}

extension TelemetryStore {
    package var seriesDirectory: (any SeriesDirectory)? { nil }

    package func streams(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [TelemetryStream] {
        try await streams(signal, matching: matchers, in: range, limit: nil)
    }

    /// Counted from the streams themselves, for stores that keep no such figures.
    package func cardinality(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange, limit: Int
    ) async throws(StoreError) -> Cardinality {
        var tally = CardinalityTally()
        for stream in try await streams(signal, matching: matchers, in: range) {
            tally.streamCount += 1
            for label in stream.labels.pairs { tally.add(label.name, label.value, 1) }
        }
        return tally.cardinality(group: signal.groupLabelName, limit: limit)
    }
}

/// Figures about a store.
package struct StoreStatistics: Sendable {
    package struct SignalFigures: Sendable {
        /// Streams known now, on disk or in memory.
        package var streamCount = 0
        /// Rows appended since the start of the process.
        package var rowsAppended: UInt64 = 0
        /// Rows in memory, not yet in a part.
        package var memtableRowCount = 0
        package var partCount = 0
        package var partRowCount = 0
        /// Bytes of its parts and indexes on disk.
        package var diskByteCount = 0
        /// Days dropped since the start, because they were older than retention and because of the disk budget.
        package var daysDroppedByAge: UInt64 = 0
        package var daysDroppedByBudget: UInt64 = 0
        /// Deletions that merges have not carried out yet: reads leave their rows out.
        package var tombstoneCount = 0
        /// The oldest and newest row, in the signal's unit; nil where there is none.
        package var range: TimeRange?

        package init() {}
    }

    package var signals: [Signal: SignalFigures] = [:]
    package var walByteCount = 0
    package var walSyncCount: UInt64 = 0
    package var mergeCount: UInt64 = 0
    package var flushCount: UInt64 = 0
    /// Damage that was left out since the start, by what it hit.
    package var quarantined: [QuarantineKey: UInt64] = [:]
    /// The damaged places, oldest first; of very many the first ones.
    package var damages: [StoreDamage] = []
    /// Writes refused because too much was waiting, and because the disk was full.
    package var refusedOverloadedCount: UInt64 = 0
    package var refusedDiskFullCount: UInt64 = 0
    /// Bytes free on the disk, and below which writes are refused; nil where the store has no disk.
    package var diskFreeByteCount: Int?
    package var diskReserveByteCount: Int?

    package struct QuarantineKey: Sendable, Hashable {
        /// nil: of all signals.
        package var signal: Signal?
        package var kind: StoreDamage.Kind

        package init(signal: Signal?, kind: StoreDamage.Kind) {
            self.signal = signal
            self.kind = kind
        }
    }

    /// Places that were damaged and left out, since the start.
    package var quarantinedCount: Int { Int(clamping: quarantined.values.reduce(0, &+)) }

    package init() {}
}

/// Why a store could not do what it was asked.
package struct StoreError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// Data on disk is damaged; the message names the file and offset.
        case corrupted
        /// The disk is full: writes are refused until space returns.
        case diskFull
        /// Too much is waiting: try again later.
        case overloaded
        /// The store is shutting down.
        case closed
        /// A row that no store takes: its time lies outside retention or the future bound, or its labels exceed a limit.
        case rejected
        /// A regular expression that RE2 does not take.
        case invalidPattern
        /// The data folder is in use by another process.
        case inUse
        /// The operating system refused; the message has its words.
        case system
    }

    package var code: Code
    /// What happened and where, in a sentence without a full stop.
    package var message: String
    /// What the reader can do about it; empty where nothing.
    package var remedy: String
    /// Of an append that stored all other rows, and the state of the batch: how many rows it refused. 0: nothing was stored.
    package var refusedRowCount = 0

    package init(_ code: Code, _ message: String, remedy: String = "", refusedRowCount: Int = 0) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.refusedRowCount = refusedRowCount
    }

    package var description: String {
        remedy.isEmpty ? message : "\(message). \(remedy)"
    }
}
