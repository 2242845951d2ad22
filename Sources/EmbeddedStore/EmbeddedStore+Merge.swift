import Telemetry

extension EmbeddedStore {
    /// Merges what should be merged. On the merge's thread.
    ///
    /// - Parameter everything: make one part of every day; otherwise parts of about one size, and sealed days as a whole.
    func mergeRound(everything: Bool) throws(StoreError) {
        let now = options.time.nanoseconds
        for store in signals {
            let unitNanoseconds = 1_000_000_000 / store.signal.unitsPerSecond
            let today = Days.number(of: now / unitNanoseconds, store.signal)
            for (day, parts) in store.days.sorted(by: { $0.key < $1.key }) {
                var parts = parts
                // A day is sealed a while after its end: late rows still come.
                let isSealed = day < today - 1
                let aim: MergePolicy.Aim = everything ? .onePart : isSealed ? .onePartIfCheap : .fewParts
                while let range = MergePolicy.choose(parts.map(\.byteCount), aim) {
                    guard let merged = try merge(Array(parts[range]), day: day, store) else { break }
                    parts.replaceSubrange(range, with: [merged])
                }
            }
        }
    }

    private func merge(_ parts: [Part], day: Int64, _ store: SignalStore) throws(StoreError) -> Part? {
        guard let first = parts.first, let last = parts.last else { return nil }
        let sequence = first.sequence.lowerBound...last.sequence.upperBound
        let folder = store.dayFolder(day)
        let path = folder + "/" + Part.name(sequence)
        let merged: Part
        do throws(StoreError) {
            let file = try store.fileSystem.open(path + ".tmp", .create)
            var writer = PartWriter(file, signal: store.signal)
            try PartMerger(parts).write(to: &writer)
            try writer.finish()
            try store.fileSystem.rename(path + ".tmp", to: path)
            try store.fileSystem.syncFolder(folder)
            merged = try Part(path: path, sequence: sequence, fileSystem: store.fileSystem, reporter: reporter)
        } catch {
            do throws(StoreError) { try store.fileSystem.remove(path + ".tmp") } catch {}
            if error.code == .corrupted {
                // A damaged part stays as it is: what can be read of it is still served.
                parts.forEach { $0.quarantine(error, block: -2) }
                return nil
            }
            // Its day may have been dropped meanwhile.
            if parts.contains(where: \.isGone) { return nil }
            throw error
        }
        guard store.replace(parts, with: merged, day: day) else {
            merged.markObsolete()
            return nil
        }
        reporter.counters.update { $0.merges += 1 }
        return merged
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
