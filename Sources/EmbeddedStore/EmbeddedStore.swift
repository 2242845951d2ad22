import Dispatch
import Synchronization
import Telemetry

/// The storage engine: a write-ahead log, memtables and immutable parts by UTC day, for all four signals, in one folder.
///
/// Lock order: a memtable's, then a signal's, then a day index's; nothing is locked over I/O but the log's writer and an
/// index that is being read for the first time.
package final class EmbeddedStore: TelemetryStore, StateStore {
    let options: Options
    let reporter: StoreReporter
    /// By ``Signal/rawValue``.
    let signals: [SignalStore]
    /// Finds metric series by the bytes that senders repeat.
    let seriesCache = SeriesCache()
    let log: WriteAheadLog
    let metadataTable: MetadataTable
    let stateTable: StateTable
    /// Rows in memory, in bytes, roughly.
    let memtableByteCount: MemtableBytes
    /// Flushes and merges block on the disk, each on a thread of its own; one of each at a time.
    let flushThread = DispatchQueue(label: "apus.flush", qos: .utility)
    let mergeThread = DispatchQueue(label: "apus.merge", qos: .background)
    /// Memtables taken out of use together and not yet in parts, oldest first. Changed on the log's thread and the flush's.
    let flushUnits = Mutex<[FlushUnit]>([])
    /// The number that the next flush's parts bear.
    let nextSequence: Mutex<UInt64>
    let isClosed = Atomic<Bool>(false)
    /// Appends that wait for room.
    let waitingAppendCount = Atomic<Int>(0)
    /// What is kept; a reload of the configuration may change it.
    let retention: Mutex<RetentionPolicy>
    /// Folders of dropped days that are not removed yet.
    let condemned = Mutex<Set<String>>([])
    let diskGuard: DiskGuard
    /// The patterns of log lines.
    let patternBook = PatternBook()
    /// The lock on the folder; given up with the last reference, or by ``close()``.
    let lock: Mutex<(any Sendable)?>

    /// What one rotation took out of use.
    struct FlushUnit: Sendable {
        /// Every log segment below it holds only rows of this unit and older ones.
        var segment: UInt64
        var memtables: [Memtable]
        /// The last layer of small state that its rows came with.
        var stateLayer: Int
    }

    init(
        options: Options, reporter: StoreReporter, signals: [SignalStore], log: WriteAheadLog, metadataTable: MetadataTable,
        stateTable: StateTable, memtableByteCount: MemtableBytes, nextSequence: UInt64, lock: any Sendable
    ) {
        self.options = options
        self.reporter = reporter
        self.signals = signals
        self.log = log
        self.metadataTable = metadataTable
        self.stateTable = stateTable
        self.memtableByteCount = memtableByteCount
        self.nextSequence = Mutex(nextSequence)
        self.lock = Mutex(lock)
        retention = Mutex(RetentionPolicy(age: options.retention, byteCountMax: options.diskBudget))
        diskGuard = DiskGuard(
            folder: options.dataFolder, reserveByteCount: options.diskReserveByteCount, fileSystem: options.fileSystem, reporter: reporter)
    }

    subscript(signal: Signal) -> SignalStore { signals[Int(signal.rawValue)] }

    /// Runs blocking work on a thread of its own.
    func onThread<Value: Sendable>(
        _ thread: DispatchQueue, _ work: @escaping @Sendable () throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, StoreError>, Never>) in
            thread.async { continuation.resume(returning: Result(catching: work)) }
        }
        return try result.get()
    }
}

/// How many bytes the memtables hold.
final class MemtableBytes: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }

    func add(_ bytes: Int) {
        count.add(bytes, ordering: .relaxed)
    }
}
