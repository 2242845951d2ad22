import Synchronization
import Telemetry

/// Questions about streams by their labels, answered from the postings.
extension StreamRegistry {
    /// Slots that are locked for at a time while many streams are handed out: appends wait no longer than that.
    private static let batchCount = 2048

    /// The streams of `members` that satisfy all matchers.
    func matching(_ matchers: [CompiledMatcher], among members: Bitmap) -> Bitmap {
        while true {
            // Expressions are tried outside of the lock.
            let generation = self.generation
            let regular = matchers.filter { $0.literals == nil && !$0.hitsEverything }
            let pairs = regular.map { hits($0) }
            let found: Bitmap? = state.withLock { state in
                guard state.generation == generation else { return nil }
                return matchers.combined(all: members) { matcher in
                    if let index = regular.firstIndex(where: { $0 === matcher }) { return state.labels.union(pairs[index]) }
                    if matcher.hitsEverything { return state.labels.name(matcher.name)?.slots ?? Bitmap() }
                    return state.labels.union((matcher.literals ?? []).compactMap { state.labels.pair(matcher.name, $0) })
                } having: { state.labels.name($0)?.slots ?? Bitmap() }
            }
            if let found { return found }
        }
    }

    /// The pairs of a matcher's label whose values its expression hits.
    private func hits(_ matcher: CompiledMatcher) -> [UInt32] {
        let (pairs, values) = state.withLock { state in
            let pairs = state.labels.name(matcher.name)?.pairs ?? []
            return (pairs, pairs.map { state.labels.value($0) })
        }
        return pairs.indices.filter { matcher.isHit(values[$0]) }.map { pairs[$0] }
    }

    /// The streams of slots, in the order of ids.
    func streams(_ slots: Bitmap, limit: Int?) -> [TelemetryStream] {
        var slots = slots.values
        if let limit, slots.count > limit { slots.removeLast(slots.count - max(0, limit)) }
        let ids = ids(slots)
        var order = Array(zip(ids, slots))
        order.sort { $0.0 < $1.0 }
        var streams: [TelemetryStream] = []
        streams.reserveCapacity(order.count)
        var start = 0
        while start < order.count {
            let end = min(start + Self.batchCount, order.count)
            streams += state.withLock { state in
                order[start..<end].compactMap { state.isAlive($0.1) ? state.stream($0.1) : nil }
            }
            start = end
        }
        return streams
    }

    /// The label names of some streams.
    func labelNames(_ slots: Bitmap, into names: inout Set<String>) {
        let found = state.withLock { state in
            state.labels.names.compactMap { name in name.slots.intersects(slots) ? name.text : nil }
        }
        names.formUnion(found)
    }

    /// The values of label `name` in some streams.
    func labelValues(_ name: String, _ slots: Bitmap, into values: inout Set<String>) {
        let found = state.withLock { state -> [String] in
            guard let name = state.labels.name(name) else { return [] }
            return name.pairs.compactMap { pair in
                state.labels.postings[Int(pair)].intersects(slots) ? state.labels.value(pair) : nil
            }
        }
        values.formUnion(found)
    }

    /// How many of some streams have each label value.
    func count(_ slots: Bitmap, into tally: inout CardinalityTally) {
        let found = state.withLock { state in
            state.labels.names.map { name in
                (
                    name.text,
                    name.pairs.compactMap { pair -> (String, Int)? in
                        let count = state.labels.postings[Int(pair)].intersectionCount(slots)
                        return count > 0 ? (state.labels.value(pair), count) : nil
                    }
                )
            }
        }
        for (name, values) in found {
            for (value, count) in values { tally.add(name, value, count) }
        }
        tally.streamCount += slots.count
    }
}

extension LabelTable {
    /// The streams that have one of these pairs.
    func union(_ pairs: [UInt32]) -> Bitmap {
        if pairs.count == 1, case .many(let bitmap) = postings[Int(pairs[0])] { return bitmap }
        var union = PostingsUnion()
        for pair in pairs { union.insert(postings[Int(pair)]) }
        return union.finish()
    }
}
