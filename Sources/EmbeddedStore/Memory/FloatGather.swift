import Telemetry

/// Brings the rows of chunks into another order of series, a bounded number of rows at a time: what a flush writes and what a scan reads.
struct FloatGather: Sendable {
    private let chunks: [FloatChunk]
    /// The rows wanted.
    private let range: TimeRange
    /// The slots wanted, ascending, each with its place in the order wanted.
    private let wanted: [(slot: UInt32, rank: Int32)]
    /// By slot: its rank, or -1. Empty where so few are wanted that they are searched for.
    private let ranks: [Int32]
    /// By rank: at most so many.
    private var rowCounts: [UInt32]
    /// The rows at hand: those of one rank after the other.
    private(set) var times: [Int64] = []
    private(set) var values: [Double] = []
    /// The ranks whose rows are at hand, and where each one's lie.
    private var loaded = 0..<0
    private var places: [Range<Int>] = []

    /// Rows gathered at once: 16 bytes each.
    private static let rowCountMax = 512 << 10

    /// - Parameters:
    ///   - slots: the series wanted in the order in which their rows are to come, each once; nil for one that has none.
    ///   - range: leave out the rows that lie outside of it.
    init(_ chunks: [FloatChunk], slots: [UInt32?], in range: TimeRange = .all) {
        self.chunks = chunks
        self.range = range
        var wanted: [(slot: UInt32, rank: Int32)] = []
        wanted.reserveCapacity(slots.count)
        for (rank, slot) in slots.enumerated() {
            if let slot { wanted.append((slot, Int32(truncatingIfNeeded: rank))) }
        }
        let chunkSlotCount = chunks.reduce(0) { max($0, $1.slots.count) }
        if wanted.count * 8 < chunkSlotCount {
            wanted.sort { $0.slot < $1.slot }
            (self.wanted, ranks) = (wanted, [])
        } else {
            var ranks = [Int32](repeating: -1, count: Int(wanted.reduce(0) { max($0, $1.slot) }) + 1)
            for (slot, rank) in wanted { ranks[Int(slot)] = rank }
            (self.wanted, self.ranks) = ([], ranks)
        }
        rowCounts = [UInt32](repeating: 0, count: slots.count)
        for chunk in chunks {
            forEachPlace(in: chunk) { position, rank in rowCounts[rank] += UInt32(chunk.rows(at: position).count) }
        }
    }

    /// Calls `body` with each series wanted that has rows in a chunk: its position there and its rank.
    @inline(__always)
    private func forEachPlace(in chunk: FloatChunk, _ body: (_ position: Int, _ rank: Int) -> Void) {
        if !ranks.isEmpty {
            for (position, slot) in chunk.slots.enumerated() where Int(slot) < ranks.count && ranks[Int(slot)] >= 0 {
                body(position, Int(ranks[Int(slot)]))
            }
            return
        }
        var position = 0
        for (slot, rank) in wanted {
            position = chunk.lowerBound(of: slot, from: position)
            if position == chunk.slots.count { return }
            if chunk.slots[position] == slot { body(position, Int(rank)) }
        }
    }

    /// The rows of one rank in ``times`` and ``values``: times strictly ascending, of equal ones the last that came.
    mutating func rows(of rank: Int) -> Range<Int> {
        if rowCounts[rank] == 0 { return 0..<0 }
        if !loaded.contains(rank) { load(from: rank) }
        return places[rank - loaded.lowerBound]
    }

    /// Hands over each series' rows (its rank; see ``rows(of:)``), also where there are none.
    mutating func forEach(_ body: (Int, Span<Int64>, Span<Double>) throws(StoreError) -> Void) throws(StoreError) {
        for rank in rowCounts.indices {
            let rows = rows(of: rank)
            try body(rank, times.span.extracting(rows), values.span.extracting(rows))
        }
    }

    /// Gathers the rows of as many ranks as may be at hand at once.
    private mutating func load(from first: Int) {
        var (end, rowCount) = (first, 0)
        places.removeAll(keepingCapacity: true)
        while end < rowCounts.count, end == first || rowCount + Int(rowCounts[end]) <= Self.rowCountMax {
            places.append(rowCount..<rowCount)
            rowCount += Int(rowCounts[end])
            end += 1
        }
        loaded = first..<end
        if times.count < rowCount {
            times = [Int64](repeating: 0, count: rowCount)
            values = [Double](repeating: 0, count: rowCount)
        }
        gather()
        for index in places.indices where places[index].count > 1 { places[index] = makeAscending(places[index]) }
    }

    private mutating func gather() {
        // Out of the struct, so that nothing is checked for sharing in the loops.
        var (times, values, places) = ([Int64](), [Double](), [Range<Int>]())
        swap(&times, &self.times)
        swap(&values, &self.values)
        swap(&places, &self.places)
        times.withUnsafeMutableBufferPointer { times in
            values.withUnsafeMutableBufferPointer { values in
                places.withUnsafeMutableBufferPointer { places in
                    for chunk in chunks {
                        let isWhole = range.start <= chunk.minTime && chunk.maxTime <= range.end
                        chunk.times.withUnsafeBufferPointer { chunkTimes in
                            chunk.values.withUnsafeBufferPointer { chunkValues in
                                forEachPlace(in: chunk) { position, rank in
                                    guard loaded.contains(rank) else { return }
                                    // SAFETY: a place grows by at most the rows counted in `init`, for which there is room before the next place.
                                    var cursor = places[rank &- loaded.lowerBound].upperBound
                                    for row in chunk.rows(at: position) where isWhole || range.contains(chunkTimes[row]) {
                                        times[cursor] = chunkTimes[row]
                                        values[cursor] = chunkValues[row]
                                        cursor &+= 1
                                    }
                                    places[rank &- loaded.lowerBound] = places[rank &- loaded.lowerBound].lowerBound..<cursor
                                }
                            }
                        }
                    }
                }
            }
        }
        swap(&times, &self.times)
        swap(&values, &self.values)
        swap(&places, &self.places)
    }

    /// Sorts rows by time where they are not sorted, and drops the earlier of two with one time.
    ///
    /// - Returns: where the rows that are kept stand.
    private mutating func makeAscending(_ rows: Range<Int>) -> Range<Int> {
        var row = rows.lowerBound + 1
        while row < rows.upperBound, times[row - 1] < times[row] { row += 1 }
        if row >= rows.upperBound { return rows }
        let ordered = Run(timestamps: Array(times[rows]), rows: .floats(Array(values[rows]))).ordered()
        guard case .floats(let kept) = ordered.rows else { return rows }
        for (offset, time) in ordered.timestamps.enumerated() {
            times[rows.lowerBound + offset] = time
            values[rows.lowerBound + offset] = kept[offset]
        }
        return rows.lowerBound..<rows.lowerBound + kept.count
    }
}
