import Synchronization
import Telemetry

/// What keeps the index small: sealed days, and streams that are forgotten.
extension SignalStore {
    /// Looking through a million streams takes a millisecond: not with every round of background work.
    private static let intervalSeconds: Int64 = 60
    /// Late rows still come for a while after a day's end.
    private static let sealDelaySeconds: Int64 = 3600
    /// How long the directory of a sealed file stays in memory after its last use.
    private static let unusedNanoseconds: Int64 = 600 * 1_000_000_000
    /// Quiet streams of a day that still goes on are sealed when they are this many…
    private static let quietCountMin = 1 << 14
    /// … and so large a part of all streams: each time, the log of the others is written anew.
    private static let quietPart = 4

    /// Seals the days that are over, and forgets the streams that nothing in memory names any more. On the merge's thread.
    ///
    /// - Parameter forgotten: called with the slots that are gone.
    func tidyIndex(now: Int64, forgotten: (Bitmap) -> Void) throws(StoreError) {
        let seconds = now / 1_000_000_000
        if abs(seconds - lastTidy.load(ordering: .relaxed)) < Self.intervalSeconds { return }
        lastTidy.store(seconds, ordering: .relaxed)
        for index in indexes {
            index.unload(unusedSince: now - Self.unusedNanoseconds)
            let (_, end) = dayBounds(index.day)
            if seconds > end + Self.sealDelaySeconds { try index.sealAll() }
        }
        let cutoff = UInt32(clamping: seconds - Int64(StreamRegistry.lifetimeSeconds))
        var quiet = registry.stale(before: cutoff)
        if quiet.isEmpty { return }
        // Rows that wait for their flush name their streams by slots.
        for memtable in memtables { quiet.subtract(Bitmap(memtable.slots)) }
        var held = Bitmap()
        for index in indexes { held.formUnion(index.members(in: quiet)) }
        if held.count >= Self.quietCountMin, held.count * Self.quietPart >= registry.count {
            for index in indexes { try index.seal(held) }
            held = Bitmap()
            for index in indexes { held.formUnion(index.members(in: quiet)) }
        }
        let gone = registry.forget(quiet.subtracting(held), seenBefore: cutoff)
        if gone.isEmpty { return }
        for index in indexes { index.forget(gone) }
        forgotten(gone)
    }

    /// The first and last second of a day.
    private func dayBounds(_ day: Int64) -> (first: Int64, last: Int64) {
        let range = Days.range(day, signal)
        return (range.start / signal.unitsPerSecond, range.end / signal.unitsPerSecond)
    }
}
