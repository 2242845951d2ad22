import Glibc
import Synchronization
import Telemetry

extension EmbeddedStore {
    /// Merges what should be merged. On the merge's thread.
    ///
    /// - Parameter everything: make one part of every day, without pauses; otherwise parts of about one size, and sealed days as a
    ///   whole.
    func mergeRound(everything: Bool) throws(StoreError) {
        let now = options.time.nanoseconds
        for store in signals {
            let unitNanoseconds = 1_000_000_000 / store.signal.unitsPerSecond
            let today = Days.number(of: now / unitNanoseconds, store.signal)
            for (day, parts) in store.days.sorted(by: { $0.key < $1.key }) {
                // A day is sealed a while after its end: late rows still come.
                let isSealed = day < today - 1
                let aim: MergePolicy.Aim = everything ? .onePart : isSealed ? .onePartIfCheap : .fewParts
                // A damaged part stays as it is, and its neighbours cannot be joined over it: their numbers would take its in.
                for run in parts.split(whereSeparator: \.hasDamage) {
                    // A sealed day's parts are written for the last time.
                    let level = isSealed ? BlockCodec.sealedLevel : BlockCodec.level
                    try BlockCodec.$level.withValue(level) {
                        Result { () throws(StoreError) in try mergeRound(Array(run), aim, isSealing: isSealed, day: day, store) }
                    }.get()
                }
                if !everything { for part in parts { part.noteRound() } }
            }
        }
    }

    private func mergeRound(
        _ run: [Part], _ aim: MergePolicy.Aim, isSealing: Bool, day: Int64, _ store: SignalStore
    ) throws(StoreError) {
        var parts = run
        while let range = MergePolicy.choose(parts.map(\.byteCount), aim) {
            let isUrgent = aim == .onePart || parts.count > Limits.partCountUrgent
            var pace = MergePace(isUrgent: isUrgent)
            let merged: Part?
            do throws(StoreError) {
                merged = try merge(Array(parts[range]), isSealing: isSealing, day: day, store) { () throws(StoreError) in
                    if self.isClosed.load(ordering: .relaxed) { throw WriteAheadLog.closed }
                    pace.pause()
                }
            } catch {
                // Whoever closes the store does not want to wait for it; it begins anew at the next start.
                if error.code == .closed, aim != .onePart { return }
                throw error
            }
            guard let merged else { return }
            parts.replaceSubrange(range, with: [merged])
        }
    }

    private func merge(
        _ parts: [Part], isSealing: Bool, day: Int64, _ store: SignalStore, checkpoint: () throws(StoreError) -> Void
    ) throws(StoreError) -> Part? {
        guard let first = parts.first, let last = parts.last else { return nil }
        return try merge(
            parts, as: first.sequence.lowerBound...last.sequence.upperBound, isSealing: isSealing, day: day, store, checkpoint: checkpoint)
    }

    /// Writes parts of a day as one, without the rows that were deleted.
    ///
    /// - Parameter checkpoint: called now and then; throws to give the merge up.
    /// - Returns: the part; nil where it could not be made, or no row is left.
    @discardableResult
    func merge(
        _ parts: [Part], as sequence: ClosedRange<UInt64>, isSealing: Bool = false, day: Int64, _ store: SignalStore,
        checkpoint: () throws(StoreError) -> Void = { () throws(StoreError) in }
    ) throws(StoreError) -> Part? {
        // The old parts go only when the new one is there; on a nearly full disk that waits.
        guard diskGuard.hasRoom(for: parts.reduce(0) { $0 + $1.byteCount }) else { return nil }
        let folder = store.dayFolder(day)
        let path = folder + "/" + Part.name(sequence)
        let merged: Part?
        do throws(StoreError) {
            let file = try store.fileSystem.open(path + ".tmp", .create)
            var writer = PartWriter(file, signal: store.signal)
            var merger = try PartMerger(parts, store.deletions(of: parts, day: day), isSealing: isSealing)
            try merger.write(to: &writer, checkpoint: checkpoint)
            let isEmpty = writer.isEmpty
            try writer.finish()
            if isEmpty {
                try store.fileSystem.remove(path + ".tmp")
                merged = nil
            } else {
                try store.fileSystem.rename(path + ".tmp", to: path)
                try store.fileSystem.syncFolder(folder)
                merged = try Part(path: path, sequence: sequence, fileSystem: store.fileSystem, reporter: reporter)
            }
        } catch {
            do throws(StoreError) { try store.fileSystem.remove(path + ".tmp") } catch {}
            // A damaged part stays as it is (it was reported): what can be read of it is still served.
            if error.code == .corrupted { return nil }
            // Its day may have been dropped meanwhile.
            if parts.contains(where: \.isGone) { return nil }
            throw error
        }
        guard store.replace(parts, with: merged, day: day) else {
            merged?.markObsolete()
            return nil
        }
        reporter.counters.update { $0.merges += 1 }
        if merged == nil {
            // No part's name covers theirs: they must not come back with the next start.
            for part in parts { try store.fileSystem.remove(part.path) }
            try store.fileSystem.syncFolder(folder)
        }
        return merged
    }
}

/// Holds a merge back, so that ingest and queries keep their share of processor and disk: it rests as long as it has worked.
struct MergePace {
    /// Too many parts wait, or somebody waits for the merge: no rest.
    private let isUrgent: Bool
    private var last = ContinuousClock.now

    /// Work between two rests: shorter ones would be over before they began.
    private static let workMin = Duration.milliseconds(5)
    /// One rest; longer ones would keep a store from closing.
    private static let restMax = Duration.milliseconds(100)

    init(isUrgent: Bool) {
        self.isUrgent = isUrgent
    }

    mutating func pause() {
        if isUrgent { return }
        let worked = ContinuousClock.now - last
        if worked < Self.workMin { return }
        let (seconds, attoseconds) = min(worked, Self.restMax).components
        usleep(UInt32(clamping: seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
        last = ContinuousClock.now
    }
}

/// Which parts of a day to merge. Only neighbours: the order of writing must stay.
enum MergePolicy {
    /// Sizes below it count as one: the cost of a part, not its bytes, is what merging them saves.
    private static let smallByteCount = 64 << 10
    /// A part is "about as large" up to this factor.
    private static let sizeRatio = 4

    enum Aim {
        case onePart
        /// A sealed day ends as one part, but a few late rows are not worth rewriting all of it.
        case onePartIfCheap
        case fewParts
    }

    /// - Parameter sizes: the parts' sizes in the order of writing.
    /// - Returns: the neighbours to merge; nil where there is nothing to gain.
    static func choose(_ sizes: [Int], _ aim: Aim) -> Range<Int>? {
        if sizes.count < 2 { return nil }
        let (total, largest) = (sizes.reduce(0, +), sizes.max() ?? 0)
        if aim == .onePart || (aim == .onePartIfCheap && (total - largest) * 8 >= largest) {
            return 0..<min(sizes.count, Limits.mergePartCountMax)
        }
        // The run of the smallest parts is the cheapest to merge and saves the most.
        var best: (range: Range<Int>, byteCount: Int)?
        for start in sizes.indices {
            var (end, smallest, largest, total) = (start, Int.max, 0, 0)
            while end < sizes.count, end - start < Limits.mergePartCountMax {
                let size = max(sizes[end], smallByteCount)
                guard max(largest, size) <= sizeRatio * min(smallest, size) else { break }
                (smallest, largest, total, end) = (min(smallest, size), max(largest, size), total + size, end + 1)
            }
            guard end - start >= Limits.mergePartCountMin else { continue }
            if best == nil || total / (end - start) < best!.byteCount { best = (start..<end, total / (end - start)) }
        }
        return best?.range
    }
}
