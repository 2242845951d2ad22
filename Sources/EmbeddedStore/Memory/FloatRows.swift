/// The float samples of a memtable as they come: flat columns, cut into chunks that are sorted once full, and
/// merged four at a time. A row takes 16 bytes, and a series nothing beside its rows.
struct FloatRows: Sendable {
    private(set) var sealed: [FloatChunk] = []
    private var slots: [UInt32] = []
    private var times: [Int64] = []
    private var values: [Double] = []
    private(set) var count = 0
    /// The rows that are in no sealed chunk yet, sorted for the last reader; nil after more came.
    private var sorted: FloatChunk?

    /// Rows of a chunk when it is sealed: a reader sorts what is not.
    static let chunkRowCountMax = 32 << 10
    /// Chunks that are merged at once, and how often: a reader looks through few chunks, with many rows of each series.
    private static let mergeCount = 4
    private static let levelMax = 2

    var isEmpty: Bool { count == 0 }

    /// Adds rows: three columns of one length.
    mutating func append(slots newSlots: [UInt32], times newTimes: [Int64], values newValues: [Double]) {
        precondition(newSlots.count == newTimes.count && newSlots.count == newValues.count)
        sorted = nil
        var start = 0
        while start < newSlots.count {
            if slots.capacity < Self.chunkRowCountMax, slots.count + newSlots.count > slots.capacity { reserve(newSlots.count) }
            let end = min(newSlots.count, start + Self.chunkRowCountMax - slots.count)
            slots += newSlots[start..<end]
            times += newTimes[start..<end]
            values += newValues[start..<end]
            start = end
            if slots.count == Self.chunkRowCountMax { seal() }
        }
        count += newSlots.count
    }

    /// Room for more: a quiet server's chunk stays small.
    private mutating func reserve(_ more: Int) {
        let wanted = min(Self.chunkRowCountMax, max(slots.count + more, slots.capacity * 2))
        slots.reserveCapacity(wanted)
        times.reserveCapacity(wanted)
        values.reserveCapacity(wanted)
    }

    private mutating func seal() {
        sealed.append(FloatChunk(slots: slots, times: times, values: values))
        while let last = sealed.last, last.level < Self.levelMax, sealed.suffix(Self.mergeCount).count(where: { $0.level == last.level }) == Self.mergeCount {
            let merged = FloatChunk(merging: Array(sealed.suffix(Self.mergeCount)))
            sealed.removeLast(Self.mergeCount)
            sealed.append(merged)
        }
        slots.removeAll(keepingCapacity: true)
        times.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
    }

    /// The rows that are in no sealed chunk yet, copied as of now.
    mutating func unsealed() -> FloatChunk? {
        if slots.isEmpty { return nil }
        if let sorted { return sorted }
        let chunk = FloatChunk(slots: slots, times: times, values: values)
        sorted = chunk
        return chunk
    }

    /// Of the rows that are in no sealed chunk yet, those of a few slots (ascending): cheaper than sorting all of them.
    func unsealed(_ wanted: [UInt32]) -> FloatChunk? {
        if let sorted { return sorted }
        guard let low = wanted.first, let high = wanted.last, !slots.isEmpty else { return nil }
        var (foundSlots, foundTimes, foundValues) = ([UInt32](), [Int64](), [Double]())
        for row in slots.indices {
            let slot = slots[row]
            guard slot >= low, slot <= high, wanted.contains(slot) else { continue }
            foundSlots.append(slot)
            foundTimes.append(times[row])
            foundValues.append(values[row])
        }
        return foundSlots.isEmpty ? nil : FloatChunk(slots: foundSlots, times: foundTimes, values: foundValues)
    }

    /// How many slots ``unsealed(_:)`` is good for.
    static let fewSlotsMax = 16
}
