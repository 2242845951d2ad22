import Dispatch
import Synchronization
package import Telemetry

extension EmbeddedStore {
    package func delete(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) {
        guard !isClosed.load(ordering: .relaxed) else { throw WriteAheadLog.closed }
        if range.isEmpty { return }
        // Every row written before is in a part then, and in no segment of the log from which a restart would write it anew.
        try await flush()
        let streams = try await streams(signal, matching: matchers, in: range)
        try await onThread(mergeThread) { () throws(StoreError) in
            // No merge runs: none can mix rows from before and after the deletion without knowing of it.
            try self.options.fileSystem.syncFolder(self.options.dataFolder + "/wal")
            let (store, sequence) = (self[signal], self.nextSequence.withLock { $0 - 1 })
            let slots = store.registry.slots(of: streams)
            var deleted: [Int64: Set<UInt64>] = [:]
            for (day, index, parts) in store.snapshot(range).days where parts.contains(where: { $0.footer.range.overlaps(range) }) {
                let ids = Set(index.ids(of: streams, slots: slots).compactMap { $0 })
                if !ids.isEmpty { deleted[day] = ids }
            }
            if deleted.isEmpty { return }
            try store.tombstones.add(Tombstone(range: range, sequence: sequence, streams: deleted))
        }
    }

    /// Rewrites every part with rows that were deleted, so that their bytes are gone from the disk.
    package func cleanTombstones() async throws(StoreError) {
        try await onThread(mergeThread) { () throws(StoreError) in try self.carryOutDeletions(ofDaysBefore: .max) }
    }

    /// Takes deleted rows out of the days that ended before an instant (nanoseconds since the Unix epoch; `.max`: of all). On the
    /// merge's thread.
    func carryOutDeletions(ofDaysBefore now: Int64) throws(StoreError) {
        for store in signals {
            let tombstones = store.tombstones.all
            if tombstones.isEmpty { continue }
            let today = now == .max ? .max : Days.number(of: now / (1_000_000_000 / store.signal.unitsPerSecond), store.signal)
            for (day, parts) in store.days.sorted(by: { $0.key < $1.key }) where day < today {
                if parts.contains(where: { part in tombstones.contains { $0.concerns(part, day: day) } }) { try rewrite(day, store) }
            }
            var spent: [Tombstone] = []
            for tombstone in tombstones {
                if try isSpent(tombstone, store) { spent.append(tombstone) }
            }
            try store.tombstones.removeAll { tombstone in spent.contains { $0 === tombstone } }
        }
    }

    /// Whether a deletion concerns nothing on the disk any more: no part that is served, and no file of one that was replaced, which
    /// a crash could bring back.
    private func isSpent(_ tombstone: Tombstone, _ store: SignalStore) throws(StoreError) -> Bool {
        let days = store.days
        for day in tombstone.streams.keys {
            let parts = days[day] ?? []
            if parts.contains(where: { tombstone.concerns($0, day: day) }) { return false }
            let folder = store.dayFolder(day)
            guard try store.fileSystem.isFolder(folder) else { continue }
            try store.fileSystem.syncFolder(folder)
            for name in try store.fileSystem.list(folder) {
                guard let sequence = Part.sequence(named: name), sequence.upperBound <= tombstone.sequence else { continue }
                if !parts.contains(where: { $0.sequence == sequence }) { return false }
            }
        }
        return true
    }

    /// Makes one part of a day, without the rows that were deleted. Its name says that it holds a flush later than any deletion, so
    /// that none concerns it any more.
    private func rewrite(_ day: Int64, _ store: SignalStore) throws(StoreError) {
        // Between two flushes: every part with a number below the new one is among these.
        let (sequence, parts) = flushThread.sync {
            let sequence = nextSequence.withLock { next in
                defer { next += 1 }
                return next
            }
            return (sequence, store.days[day] ?? [])
        }
        guard let first = parts.first else { return }
        try merge(parts, as: first.sequence.lowerBound...sequence, day: day, store)
    }
}
