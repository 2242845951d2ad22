import Telemetry

/// Brings the rows of chunks into another order of series, a bounded number of rows at a time: what a flush writes.
struct FloatGather {
    private let chunks: [FloatChunk]
    /// By slot: the place in the order wanted, or -1.
    private var ranks: [Int32]
    /// By rank.
    private var rowCounts: [UInt32]

    /// Rows gathered at once: 16 bytes each.
    private static let rowCountMax = 512 << 10

    /// - Parameter slots: the series wanted, each once, in the order in which their rows are to come.
    init(_ chunks: [FloatChunk], slots: [UInt32]) {
        self.chunks = chunks
        ranks = [Int32](repeating: -1, count: Int(slots.max() ?? 0) + 1)
        for (rank, slot) in slots.enumerated() { ranks[Int(slot)] = Int32(truncatingIfNeeded: rank) }
        rowCounts = [UInt32](repeating: 0, count: slots.count)
        for chunk in chunks {
            for position in chunk.slots.indices {
                guard let rank = rank(of: chunk.slots[position]) else { continue }
                rowCounts[rank] += UInt32(chunk.rows(at: position).count)
            }
        }
    }

    private func rank(of slot: UInt32) -> Int? {
        let index = Int(slot)
        return index < ranks.count && ranks[index] >= 0 ? Int(ranks[index]) : nil
    }

    /// Hands over each series' rows (its rank; times strictly ascending, of equal ones the last that came), also where there are none.
    func forEach(_ body: (Int, Span<Int64>, Span<Double>) throws(StoreError) -> Void) throws(StoreError) {
        var (times, values) = ([Int64](), [Double]())
        var first = 0
        while first < rowCounts.count {
            var (end, rowCount) = (first, 0)
            while end < rowCounts.count, end == first || rowCount + Int(rowCounts[end]) <= Self.rowCountMax {
                rowCount += Int(rowCounts[end])
                end += 1
            }
            gather(first..<end, rowCount, &times, &values)
            var start = 0
            for rank in first..<end {
                let rows = start..<start + Int(rowCounts[rank])
                start = rows.upperBound
                let kept = Self.makeAscending(rows, &times, &values)
                try body(rank, times.span.extracting(kept), values.span.extracting(kept))
            }
            first = end
        }
    }

    /// Copies the rows of some ranks, one rank after the other.
    private func gather(_ wanted: Range<Int>, _ rowCount: Int, _ times: inout [Int64], _ values: inout [Double]) {
        if times.count < rowCount {
            times = [Int64](repeating: 0, count: rowCount)
            values = [Double](repeating: 0, count: rowCount)
        }
        var cursors: [Int] = []
        cursors.reserveCapacity(wanted.count)
        var next = 0
        for rank in wanted {
            cursors.append(next)
            next += Int(rowCounts[rank])
        }
        times.withUnsafeMutableBufferPointer { times in
            values.withUnsafeMutableBufferPointer { values in
                for chunk in chunks {
                    chunk.times.withUnsafeBufferPointer { chunkTimes in
                        chunk.values.withUnsafeBufferPointer { chunkValues in
                            for position in chunk.slots.indices {
                                guard let rank = rank(of: chunk.slots[position]), wanted.contains(rank) else { continue }
                                // SAFETY: the cursors advance by the rows counted in `init`, which add up to `rowCount`.
                                var cursor = cursors[rank - wanted.lowerBound]
                                for row in chunk.rows(at: position) {
                                    times[cursor] = chunkTimes[row]
                                    values[cursor] = chunkValues[row]
                                    cursor &+= 1
                                }
                                cursors[rank - wanted.lowerBound] = cursor
                            }
                        }
                    }
                }
            }
        }
    }

    /// Sorts rows by time where they are not sorted, and drops the earlier of two with one time.
    ///
    /// - Returns: where the rows that are kept stand.
    private static func makeAscending(_ rows: Range<Int>, _ times: inout [Int64], _ values: inout [Double]) -> Range<Int> {
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
