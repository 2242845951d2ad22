import Dispatch
import Synchronization
import Telemetry

/// The log that makes an append durable: numbered segments, written and synced by one thread.
///
/// Group commit: whatever is queued while one sync runs is written and synced together by the next; an idle log commits at
/// once. After the sync, and in the order of the log, the rows are put into the memtables, then their appends return.
final class WriteAheadLog: Sendable {
    typealias Answer = Result<Void, StoreError>

    private struct Item: Sendable {
        var kind: Kind
        var answer: @Sendable (Answer) -> Void

        enum Kind: Sendable {
            case append(PreparedBatch, record: [UInt8])
            /// Runs between two commits, when everything written before is in the memtables and nothing written later is.
            /// Its argument is the number of the first segment that holds only later records.
            case boundary(@Sendable (UInt64) -> Void)
        }
    }

    private struct Queue: Sendable {
        var items: [Item] = []
        var byteCount = 0
        /// Whether the thread is at work, and will look at ``items`` again before it stops.
        var isDraining = false
        var isClosed = false
    }

    private let folder: String
    private let fileSystem: any FileSystem
    private let registries: [StreamRegistry]
    private let reporter: StoreReporter
    /// Puts a synced batch into the memtables. Called on the log's thread only.
    private let apply: @Sendable (PreparedBatch) -> Void
    /// The log's thread: commits block on the disk, which the cooperative pool must not.
    private let thread = DispatchQueue(label: "apus.wal", qos: .userInitiated)
    private let queue = Mutex(Queue())
    /// Locked by the log's thread for a whole commit; by others only to read figures.
    private let writer: Mutex<LogWriter>
    private let segmentByteCounts = Mutex<[UInt64: Int]>([:])

    /// - Parameter replayed: what a replay found on the disk.
    init(
        folder: String, replayed: LogReplay.Outcome, registries: [StreamRegistry], fileSystem: any FileSystem, reporter: StoreReporter,
        apply: @escaping @Sendable (PreparedBatch) -> Void
    ) {
        self.folder = folder
        self.fileSystem = fileSystem
        self.registries = registries
        self.reporter = reporter
        self.apply = apply
        writer = Mutex(
            LogWriter(folder: folder, fileSystem: fileSystem, nextNumber: replayed.nextNumber, lastSynced: replayed.lastSynced))
        segmentByteCounts.withLock { $0 = replayed.segments }
    }

    /// Bytes of records that wait for their commit.
    var waitingByteCount: Int { queue.withLock { $0.byteCount } }
    var byteCount: Int { segmentByteCounts.withLock { $0.values.reduce(0, +) } }

    /// Makes `batch` durable and visible.
    func append(_ batch: PreparedBatch) async throws(StoreError) {
        let record = try Self.record(batch)
        try await submit(.append(batch, record: record), byteCount: record.count)
    }

    /// The same for callers that cannot await: blocks the calling thread until the batch is durable, which must not be the log's.
    func appendBlocking(_ batch: PreparedBatch) throws(StoreError) {
        let record = try Self.record(batch)
        let done = DispatchSemaphore(value: 0)
        let answer = Mutex<Answer>(.success(()))
        submit(.append(batch, record: record), byteCount: record.count) { result in
            answer.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        try answer.withLock { $0 }.get()
    }

    private static func record(_ batch: PreparedBatch) throws(StoreError) -> [UInt8] {
        let record = LogRecord.encode(batch)
        guard record.count <= Limits.recordByteCountMax else {
            throw StoreError(
                .rejected, "a batch of \(record.count) bytes, at most \(Limits.recordByteCountMax)", remedy: "Send it in smaller requests.")
        }
        return record
    }

    /// Runs `body` at a point of the log: see ``Item/Kind/boundary(_:)``.
    func atBoundary(_ body: @escaping @Sendable (UInt64) -> Void) async throws(StoreError) {
        try await submit(.boundary(body), byteCount: 0)
    }

    /// Refuses everything from now on; what is queued is still written.
    func close() {
        queue.withLock { $0.isClosed = true }
    }

    /// Removes the segments below `number`, oldest first: their rows are in parts.
    ///
    /// Each removal is made durable before the next. Were an older segment to come back after a crash without the ones behind it, its rows would
    /// be replayed over later writes that are in parts.
    func dropSegments(below number: UInt64) throws(StoreError) {
        let old = segmentByteCounts.withLock { $0.keys.filter { $0 < number }.sorted() }
        for number in old {
            try fileSystem.remove(folder + "/" + LogSegment.name(number))
            try fileSystem.syncFolder(folder)
            segmentByteCounts.withLock { $0[number] = nil }
        }
    }

    private func submit(_ kind: Item.Kind, byteCount: Int) async throws(StoreError) {
        let answer = await withCheckedContinuation { (continuation: CheckedContinuation<Answer, Never>) in
            submit(kind, byteCount: byteCount) { continuation.resume(returning: $0) }
        }
        try answer.get()
    }

    private func submit(_ kind: Item.Kind, byteCount: Int, answer: @escaping @Sendable (Answer) -> Void) {
        let wanted: (isClosed: Bool, wakes: Bool) = queue.withLock { queue in
            if queue.isClosed { return (true, false) }
            queue.items.append(Item(kind: kind, answer: answer))
            queue.byteCount += byteCount
            let wakes = !queue.isDraining
            queue.isDraining = true
            return (false, wakes)
        }
        if wanted.isClosed { answer(.failure(Self.closed)) }
        if wanted.wakes { thread.async { self.drain() } }
    }

    static let closed = StoreError(.closed, "the store is shutting down", remedy: "Send it again after the restart.")

    /// Commits until nothing waits. On the log's thread.
    private func drain() {
        while true {
            let items = queue.withLock { queue -> [Item] in
                var (count, byteCount) = (0, 0)
                while count < queue.items.count, byteCount < Limits.commitByteCountMax {
                    if case .append(_, let record) = queue.items[count].kind { byteCount += record.count }
                    count += 1
                }
                let items = Array(queue.items.prefix(count))
                queue.items.removeFirst(count)
                queue.byteCount -= byteCount
                if items.isEmpty { queue.isDraining = false }
                return items
            }
            if items.isEmpty { return }
            var group: [Item] = []
            for item in items {
                if case .boundary(let body) = item.kind {
                    commit(group)
                    group = []
                    item.answer(boundary(body))
                } else {
                    group.append(item)
                }
            }
            commit(group)
        }
    }

    private func boundary(_ body: @Sendable (UInt64) -> Void) -> Answer {
        let number = writer.withLock { $0.startNext() }
        body(number)
        return .success(())
    }

    /// Writes and syncs a group, then makes it visible; or none of it.
    private func commit(_ group: [Item]) {
        guard !group.isEmpty else { return }
        let result: Result<(number: UInt64, byteCount: Int), StoreError> = writer.withLock { writer in
            do throws(StoreError) {
                for item in group {
                    guard case .append(let batch, let record) = item.kind else { continue }
                    for registry in registries {
                        let unknown = writer.undefined(registry.signal, batch.slots(registry.signal))
                        if unknown.isEmpty { continue }
                        writer.add(LogRecord.encode(registry.signal, Array(zip(unknown, registry[unknown]))))
                    }
                    writer.add(record)
                }
                return .success(try writer.commit())
            } catch {
                let number = writer.abandon(reporter)
                // Whatever is left of it must go with the segments before it, or a later start would replay it alone.
                segmentByteCounts.withLock { $0[number, default: 0] += 0 }
                return .failure(error)
            }
        }
        switch result {
        case .success(let segment):
            segmentByteCounts.withLock { $0[segment.number] = segment.byteCount }
            reporter.counters.update { $0.syncs += 1 }
            for item in group {
                if case .append(let batch, _) = item.kind { apply(batch) }
                item.answer(.success(()))
            }
        case .failure(let error):
            for item in group { item.answer(.failure(error)) }
        }
    }
}
