import Telemetry

/// 4,096 neighbouring slots of a registry: each stream's id, the pairs of its labels, and when it was last seen.
///
/// SAFETY: a chunk is reached through its registry's lock only.
final class StreamChunk: @unchecked Sendable {
    static let shift: UInt32 = 12
    static let capacity = 1 << 12

    /// By position.
    private(set) var ids: [UInt64] = []
    /// Where each stream's pairs end in ``pairs``.
    private var ends: [UInt32] = []
    private var pairs: [UInt32] = []
    /// By position, in seconds of the store's clock; 0: forgotten.
    private(set) var seen: [UInt32] = []
    /// By position; empty while all are unknown (the streams of metrics).
    private var resources: [Resource] = []
    private(set) var aliveCount = 0

    init() {
        ids.reserveCapacity(Self.capacity)
        ends.reserveCapacity(Self.capacity)
        seen.reserveCapacity(Self.capacity)
    }

    var count: Int { ids.count }

    func pairs(_ position: Int) -> ArraySlice<UInt32> {
        pairs[(position == 0 ? 0 : Int(ends[position - 1]))..<Int(ends[position])]
    }

    func resource(_ position: Int) -> Resource {
        resources.isEmpty ? .unknown : resources[position]
    }

    func append(_ id: UInt64, _ pairs: [UInt32], _ resource: Resource, seen: UInt32) {
        if !resource.attributes.isEmpty, resources.isEmpty { resources = [Resource](repeating: .unknown, count: count) }
        if !resources.isEmpty || !resource.attributes.isEmpty { resources.append(resource) }
        ids.append(id)
        self.pairs.append(contentsOf: pairs)
        ends.append(UInt32(self.pairs.count))
        self.seen.append(seen)
        aliveCount += 1
        // No spare room once no more can come.
        if count == Self.capacity { self.pairs = Array(self.pairs[...]) }
    }

    /// - Returns: false where the stream is forgotten.
    @inline(__always)
    func touch(_ position: Int, _ now: UInt32) -> Bool {
        guard position < seen.count else { return false }
        let before = seen[position]
        if before != now, before != 0 { seen[position] = now }
        return before != 0
    }

    /// Drops the pairs of streams.
    func forget(_ positions: [Int]) {
        for position in positions where seen[position] != 0 {
            seen[position] = 0
            aliveCount -= 1
            if !resources.isEmpty { resources[position] = .unknown }
        }
        var kept: [UInt32] = []
        var start = 0
        for position in ids.indices {
            let end = Int(ends[position])
            if seen[position] != 0 { kept.append(contentsOf: pairs[start..<end]) }
            ends[position] = UInt32(kept.count)
            start = end
        }
        pairs = Array(kept[...])
    }
}
