import Synchronization
import Telemetry

/// Streams that nobody names any more give their memory back.
extension StreamRegistry {
    /// The streams that were last seen before an instant and may be forgotten.
    func stale(before seconds: UInt32) -> Bitmap {
        let (slots, ambiguous) = state.withLock { state in
            var slots: [UInt32] = []
            for (index, chunk) in state.chunks.enumerated() {
                guard let chunk else { continue }
                for (position, seen) in chunk.seen.enumerated() where seen != 0 && seen < seconds {
                    slots.append(UInt32(index << Int(StreamChunk.shift) + position))
                }
            }
            return (slots, Array(state.ambiguous))
        }
        return Bitmap(slots).subtracting(Bitmap(ambiguous))
    }

    /// Forgets streams, but for those that were seen since.
    ///
    /// - Returns: those that are gone. Their slots are never used again.
    @discardableResult
    func forget(_ candidates: Bitmap, seenBefore seconds: UInt32) -> Bitmap {
        if candidates.isEmpty { return candidates }
        let candidates = candidates.values
        return state.withLock { state in
            var gone: [UInt32] = []
            var touched: Set<UInt32> = []
            var byChunk: [Int: [Int]] = [:]
            for slot in candidates where !state.ambiguous.contains(slot) {
                let (index, position) = (Int(slot >> StreamChunk.shift), Int(slot) & (StreamChunk.capacity - 1))
                guard index < state.chunks.count, let chunk = state.chunks[index], position < chunk.count,
                    chunk.seen[position] != 0, chunk.seen[position] < seconds
                else { continue }
                gone.append(slot)
                touched.formUnion(chunk.pairs(position))
                state.slots.remove(chunk.ids[position], slot)
                byChunk[index, default: []].append(position)
            }
            if gone.isEmpty { return Bitmap() }
            for (index, positions) in byChunk {
                state.chunks[index]?.forget(positions)
                if state.chunks[index]?.aliveCount == 0 { state.chunks[index] = nil }
            }
            let slots = Bitmap(gone)
            state.labels.remove(slots, touched: touched)
            state.generation += 1
            return slots
        }
    }

    /// What it holds, for tests and figures: counts, not bytes.
    var figures: (streams: Int, pairs: Int, chunks: Int, generation: UInt64) {
        state.withLock { state in
            (state.slots.count, state.labels.count, state.chunks.count { $0 != nil }, state.generation)
        }
    }
}
