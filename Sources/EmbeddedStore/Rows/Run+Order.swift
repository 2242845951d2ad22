import Telemetry

extension Run {
    /// Joins runs of one stream and kind into one in the order of time, without duplicates.
    ///
    /// - Parameter runs: at least one; in the order in which they were written. Of metrics the last write of a timestamp stays;
    ///   of everything else, rows of one timestamp that equal each other come once.
    static func merged(_ runs: [Run]) -> Run {
        var joined = runs[0]
        for run in runs.dropFirst() { joined.append(run) }
        return joined.ordered()
    }

    /// The rows in the order of time, without duplicates; rows of one timestamp stay in the order in which they came.
    func ordered() -> Run {
        if isStrictlyAscending { return self }
        var order = Array(timestamps.indices)
        if !isAscending {
            order.sort { timestamps[$0] == timestamps[$1] ? $0 < $1 : timestamps[$0] < timestamps[$1] }
        }
        let kept = kind == .floats || kind == .histograms ? lastOfEach(order) : firstOfEqual(order)
        return kept.count == count && isAscending ? self : selecting(kept)
    }

    private var isStrictlyAscending: Bool {
        var index = 1
        while index < timestamps.count {
            if timestamps[index - 1] >= timestamps[index] { return false }
            index += 1
        }
        return true
    }

    private var isAscending: Bool {
        var index = 1
        while index < timestamps.count {
            if timestamps[index - 1] > timestamps[index] { return false }
            index += 1
        }
        return true
    }

    /// Of each timestamp the last row.
    private func lastOfEach(_ order: [Int]) -> [Int] {
        var kept: [Int] = []
        kept.reserveCapacity(order.count)
        for row in order {
            if let last = kept.last, timestamps[last] == timestamps[row] { kept.removeLast() }
            kept.append(row)
        }
        return kept
    }

    /// Of each timestamp the rows without those that equal an earlier one.
    private func firstOfEqual(_ order: [Int]) -> [Int] {
        var kept: [Int] = []
        kept.reserveCapacity(order.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, timestamps[order[end]] == timestamps[order[start]] { end += 1 }
            if end - start == 1 {
                kept.append(order[start])
            } else {
                // By hash, so that ten thousand lines of one second do not compare each with each.
                var seen: [Int: [Int]] = [:]
                for row in order[start..<end] {
                    let hash = rowHash(row)
                    if seen[hash]?.contains(where: { isEqual($0, row) }) == true { continue }
                    seen[hash, default: []].append(row)
                    kept.append(row)
                }
            }
            start = end
        }
        return kept
    }

    private func rowHash(_ row: Int) -> Int {
        var hasher = Hasher()
        switch rows {
        case .floats(let values): hasher.combine(values[row].bitPattern)
        case .histograms(let values): hasher.combine(values[row])
        case .exemplars(let values): hasher.combine(values[row])
        case .logs(let columns):
            columns.bytes[columns.range(row)].withUnsafeBytes { hasher.combine(bytes: $0) }
            hasher.combine(columns.spanIDs[row])
        case .spans(let values):
            hasher.combine(values[row].spanID)
            hasher.combine(values[row].traceID)
        case .profiles(let values):
            hasher.combine(values[row].values)
        }
        return hasher.finalize()
    }

    private func isEqual(_ left: Int, _ right: Int) -> Bool {
        switch rows {
        case .floats(let values): values[left].bitPattern == values[right].bitPattern
        case .histograms(let values): values[left] == values[right]
        case .exemplars(let values): values[left] == values[right]
        case .logs(let columns):
            columns.traceIDs[left] == columns.traceIDs[right] && columns.spanIDs[left] == columns.spanIDs[right]
                && columns.metadata[left] == columns.metadata[right]
                && columns.bytes[columns.range(left)] == columns.bytes[columns.range(right)]
        case .spans(let values): values[left] == values[right]
        case .profiles(let values): values[left] == values[right]
        }
    }
}
