import Synchronization
import Telemetry

/// Keeps lines in a spool for each remote server, and perhaps in a store of our own, in one step with their positions.
///
/// First every spool gets the record, synced; then comes the commit, one durable change that holds the positions and the
/// record's number (and the lines, where there is a store): only with it the record counts. After a crash in between the
/// record is cut off, the positions are the old ones, and the lines are read again.
final class SpoolDelivery: LogDelivery {
    private enum Turn: Sendable {
        case done(Result<Int, StoreError>)
        /// The one that was at work is done with its own: go on for all who wait.
        case work
    }

    private struct Waiting: Sendable {
        var batch: DeliveryBatch
        var answer: CheckedContinuation<Turn, Never>
    }

    private struct State: Sendable {
        var waiting: [Waiting] = []
        var isWorking = false
        var sequence: UInt64
    }

    private let spools: [(name: String, spool: Spool)]
    /// Keeps the positions, and the lines where there is a store.
    private let commit: @Sendable (DeliveryBatch) async throws(StoreError) -> Int
    private let metrics: SourceMetrics
    private let state: Mutex<State>
    /// Spools block on the disk.
    private let thread = DiskThread("apus.spool")
    private static let batchByteCountMax = 8 << 20

    static let namespace = "delivery"
    static let sequenceKey = "committed"

    /// The number of the last commit.
    static func committed(_ positions: any StateStore) throws(StoreError) -> UInt64 {
        let bytes = try positions.value(sequenceKey, in: namespace) ?? []
        return UInt64(String(decoding: bytes, as: UTF8.self)) ?? 0
    }

    /// - Parameters:
    ///   - committed: the number of the last commit.
    ///   - store: keeps the lines too; nil: only the remote servers do.
    init(
        spools: [(name: String, spool: Spool)], committed: UInt64, store: (any LogDelivery)?, positions: any StateStore,
        metrics: SourceMetrics
    ) {
        self.spools = spools
        self.metrics = metrics
        state = Mutex(State(sequence: committed))
        if let store {
            commit = { batch throws(StoreError) in try await store.deliver(batch) }
        } else {
            commit = { batch throws(StoreError) in
                try positions.apply(batch.positions)
                return 0
            }
        }
    }

    func deliver(_ batch: DeliveryBatch) async throws(StoreError) -> Int {
        if batch.entryCount == 0 { return try await commit(batch) }
        let turn = await withCheckedContinuation { (answer: CheckedContinuation<Turn, Never>) in
            let isFirst = state.withLock { state in
                if state.isWorking {
                    state.waiting.append(Waiting(batch: batch, answer: answer))
                    return false
                }
                state.isWorking = true
                return true
            }
            if isFirst { answer.resume(returning: .work) }
        }
        switch turn {
        case .done(let result): return try result.get()
        case .work: return try await work(batch)
        }
    }

    /// Keeps a batch together with those that wait, then hands the work on.
    private func work(_ batch: DeliveryBatch) async throws(StoreError) -> Int {
        var all = batch
        let others = state.withLock { state -> [Waiting] in
            var (taken, byteCount) = (0, batch.lineByteCount)
            while taken < state.waiting.count, byteCount < Self.batchByteCountMax {
                byteCount += state.waiting[taken].batch.lineByteCount
                taken += 1
            }
            defer { state.waiting.removeFirst(taken) }
            return Array(state.waiting.prefix(taken))
        }
        for other in others { all.append(other.batch) }
        let result = await keep(all)
        // How many of whose lines were refused nobody knows: they count once.
        for other in others { other.answer.resume(returning: .done(result.map { _ in 0 })) }
        let next = state.withLock { state -> Waiting? in
            if state.waiting.isEmpty { state.isWorking = false }
            return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
        }
        if let next { next.answer.resume(returning: .work) }
        return try result.get()
    }

    private func keep(_ batch: DeliveryBatch) async -> Result<Int, StoreError> {
        let sequence = state.withLock { $0.sequence } + 1
        var batch = batch
        batch.positions.append(StateChange(Self.namespace, Self.sequenceKey, Array("\(sequence)".utf8)))
        let record = SpoolRecord(sequence: sequence, batch: batch)
        do throws(StoreError) {
            try await thread.run { () throws(StoreError) in
                for (name, spool) in self.spools { self.count(try spool.write(record), of: name) }
            }
            let refused = try await commit(batch)
            state.withLock { $0.sequence = sequence }
            for (_, spool) in spools { spool.commit() }
            return .success(refused)
        } catch {
            return .failure(error)
        }
    }

    private func count(_ loss: Spool.Loss, of client: String) {
        guard loss.entryCount > 0 else { return }
        let labels = Labels(["host": client, "reason": "spool_full"])
        metrics.add("promtail_dropped_entries_total", labels, Double(loss.entryCount))
        metrics.add("promtail_dropped_bytes_total", labels, Double(loss.byteCount))
    }
}
