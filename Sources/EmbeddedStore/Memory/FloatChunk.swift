/// Float samples of many series, sorted by slot; the samples of a slot stand in the order in which they came. Immutable.
final class FloatChunk: Sendable {
    /// The slots that have rows, ascending.
    let slots: [UInt32]
    /// Where each slot's rows begin, and where the last one's end.
    let starts: [UInt32]
    let times: [Int64]
    let values: [Double]
    let minTime: Int64
    let maxTime: Int64
    /// How often its rows were merged.
    let level: Int

    /// Sorts rows in the order of arrival: three columns of one length.
    init(slots: [UInt32], times: [Int64], values: [Double]) {
        precondition(slots.count == times.count && slots.count == values.count && slots.count <= Int(UInt32.max))
        let order = Self.order(slots)
        let count = slots.count
        var (distinct, starts) = ([UInt32](), [UInt32]())
        distinct.reserveCapacity(min(count, 1 << 12))
        starts.reserveCapacity(min(count, 1 << 12) + 1)
        for (position, row) in order.enumerated() {
            let slot = slots[Int(row)]
            if distinct.last != slot {
                distinct.append(slot)
                starts.append(UInt32(truncatingIfNeeded: position))
            }
        }
        starts.append(UInt32(truncatingIfNeeded: count))
        self.slots = distinct
        self.starts = starts
        self.times = [Int64](unsafeUninitializedCapacity: count) { output, initializedCount in
            // SAFETY: `order` is a permutation of 0..<count.
            times.withUnsafeBufferPointer { input in
                for position in 0..<count { output[position] = input[Int(order[position])] }
            }
            initializedCount = count
        }
        self.values = [Double](unsafeUninitializedCapacity: count) { output, initializedCount in
            values.withUnsafeBufferPointer { input in
                for position in 0..<count { output[position] = input[Int(order[position])] }
            }
            initializedCount = count
        }
        var (low, high) = (Int64.max, Int64.min)
        for time in times {
            low = min(low, time)
            high = max(high, time)
        }
        (minTime, maxTime) = (low, high)
        level = 0
    }

    /// Merges chunks; rows of an earlier one came earlier.
    init(merging chunks: [FloatChunk]) {
        let rowCount = chunks.reduce(0) { $0 + $1.times.count }
        var (slots, starts, times, values) = ([UInt32](), [UInt32](), [Int64](), [Double]())
        slots.reserveCapacity(chunks.reduce(0) { max($0, $1.slots.count) })
        starts.reserveCapacity(slots.capacity + 1)
        times.reserveCapacity(rowCount)
        values.reserveCapacity(rowCount)
        var positions = [Int](repeating: 0, count: chunks.count)
        while true {
            var next: UInt32?
            for (chunk, position) in zip(chunks, positions) where position < chunk.slots.count { next = min(next ?? .max, chunk.slots[position]) }
            guard let next else { break }
            slots.append(next)
            starts.append(UInt32(truncatingIfNeeded: times.count))
            for index in chunks.indices {
                let (chunk, position) = (chunks[index], positions[index])
                guard position < chunk.slots.count, chunk.slots[position] == next else { continue }
                for row in chunk.rows(at: position) {
                    times.append(chunk.times[row])
                    values.append(chunk.values[row])
                }
                positions[index] = position + 1
            }
        }
        starts.append(UInt32(truncatingIfNeeded: times.count))
        (self.slots, self.starts, self.times, self.values) = (slots, starts, times, values)
        minTime = chunks.reduce(.max) { min($0, $1.minTime) }
        maxTime = chunks.reduce(.min) { max($0, $1.maxTime) }
        level = chunks.reduce(0) { max($0, $1.level) } + 1
    }

    /// The rows' numbers sorted by slot, stable: least significant digit first, 11 bits a pass, as many passes as the slots differ in.
    private static func order(_ slots: [UInt32]) -> [UInt32] {
        let count = slots.count
        var rows = (0..<count).map { UInt32(truncatingIfNeeded: $0) }
        guard let low = slots.min(), let high = slots.max(), low < high else { return rows }
        let bitCount = UInt32.bitWidth - (high - low).leadingZeroBitCount
        var other = [UInt32](repeating: 0, count: count)
        for shift in stride(from: 0, to: bitCount, by: 11) {
            var places = [UInt32](repeating: 0, count: 1 << 11)
            slots.withUnsafeBufferPointer { slots in
                rows.withUnsafeBufferPointer { input in
                    other.withUnsafeMutableBufferPointer { output in
                        places.withUnsafeMutableBufferPointer { places in
                            // SAFETY: digits have 11 bits; the counts add up to `count`, so that every place is below it.
                            for row in 0..<count { places[Int((slots[row] &- low) &>> UInt32(shift) & 2047)] &+= 1 }
                            var next: UInt32 = 0
                            for digit in 0..<2048 { (places[digit], next) = (next, next &+ places[digit]) }
                            for position in 0..<count {
                                let row = input[position]
                                let digit = Int((slots[Int(row)] &- low) &>> UInt32(shift) & 2047)
                                output[Int(places[digit])] = row
                                places[digit] &+= 1
                            }
                        }
                    }
                }
            }
            swap(&rows, &other)
        }
        return rows
    }

    /// Where the first slot that is not below `slot` stands in ``slots``, looked for from `start` on: in growing strides, for it is near mostly.
    func lowerBound(of slot: UInt32, from start: Int) -> Int {
        var (low, high, stride) = (start, start, 1)
        while high < slots.count, slots[high] < slot {
            low = high + 1
            high += stride
            stride *= 2
        }
        high = min(high, slots.count)
        while low < high {
            let middle = (low &+ high) / 2
            if slots[middle] < slot { low = middle &+ 1 } else { high = middle }
        }
        return low
    }

    /// The rows of the slot that stands at a position of ``slots``.
    func rows(at position: Int) -> Range<Int> {
        Int(starts[position])..<Int(starts[position + 1])
    }
}
