/// The windows of one column of timestamps: worked out once for all series that share it, as those of a scrape target do.
struct WindowTable: Sendable {
    /// Of one step; `low..<high` are the samples in its window.
    struct Window: Sendable {
        var low: Int32
        var high: Int32
        /// What the increase between the first and the last sample is multiplied with, unless the counter's zero limits it.
        var factor: Double
        /// Seconds between the first and the last sample.
        var sampled: Double
        /// Seconds that are extrapolated before the first sample and after the last one.
        var toStart: Double
        var toEnd: Double
    }

    private(set) var windows: [Window]

    init(_ times: UnsafeBufferPointer<Int64>, _ ranges: RangeWindows, _ steps: Steps, isRate: Bool) {
        windows = []
        windows.reserveCapacity(steps.count)
        var bounds = WindowBounds()
        let seconds = Double(ranges.length) / 1000
        for step in 0..<steps.count {
            let end = ranges.ends.time(step)
            bounds.move(times, end - ranges.length, end)
            let range = bounds.range
            var window = Window(
                low: Int32(truncatingIfNeeded: range.lowerBound), high: Int32(truncatingIfNeeded: range.upperBound), factor: 0,
                sampled: 0, toStart: 0, toEnd: 0)
            if range.count > 1 {
                let (first, last) = (times[range.lowerBound], times[range.upperBound - 1])
                window.toStart = Double(first - (end - ranges.length)) / 1000
                window.toEnd = Double(end - last) / 1000
                window.sampled = Double(last - first) / 1000
                let average = window.sampled / Double(range.count - 1)
                let threshold = average * 1.1
                if window.toStart >= threshold { window.toStart = average / 2 }
                if window.toEnd >= threshold { window.toEnd = average / 2 }
                let factor = (window.sampled + window.toStart + window.toEnd) / window.sampled
                window.factor = isRate ? factor / seconds : factor
            }
            windows.append(window)
        }
    }
}

/// The window tables of the timestamp columns met so far.
struct WindowTables {
    private struct Key: Hashable {
        var first: Int64
        var last: Int64
        var count: Int
        var middle: Int64
    }

    /// Beyond that many targets whose scrapes differ, tables are made anew rather than kept.
    private static let tableCountMax = 4_096

    private var tables: [WindowTable] = []
    private var columns: [[Int64]] = []
    private var byID: [UInt64: Int] = [:]
    private var byKey: [Key: Int] = [:]

    /// The table of a column; `timesID` names it, unless it is 0.
    mutating func table(
        _ times: [Int64], timesID: UInt64, _ make: (UnsafeBufferPointer<Int64>) -> WindowTable
    ) -> WindowTable {
        if timesID != 0, let index = byID[timesID] { return tables[index] }
        let key = Key(
            first: times.first ?? 0, last: times.last ?? 0, count: times.count,
            middle: times.isEmpty ? 0 : times[times.count / 2])
        if let index = byKey[key], columns[index] == times {
            if timesID != 0 { byID[timesID] = index }
            return tables[index]
        }
        let table = times.withUnsafeBufferPointer(make)
        if tables.count < Self.tableCountMax {
            if timesID != 0 { byID[timesID] = tables.count }
            byKey[key] = tables.count
            tables.append(table)
            columns.append(times)
        }
        return table
    }
}
