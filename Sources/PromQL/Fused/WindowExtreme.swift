/// `min_over_time` and `max_over_time` of one series at all steps: windows overlap, so each sample is compared once or twice in all rather
/// than once in each window that it lies in.
struct WindowExtreme: Sendable {
    let isMax: Bool

    init?(_ name: String) {
        switch name {
        case "max_over_time": isMax = true
        case "min_over_time": isMax = false
        default: return nil
        }
    }

    /// Sets the steps in whose window a sample lies.
    ///
    /// - Parameter waiting: scratch space, kept from series to series.
    func evaluate(_ series: RawSeries, _ windows: RangeWindows, into column: inout [Double], waiting: inout [Int]) {
        let (times, values) = (series.times, series.values)
        if waiting.count < values.count { waiting = Array(repeating: 0, count: values.count) }
        times.withUnsafeBufferPointer { times in
            values.withUnsafeBufferPointer { values in
                waiting.withUnsafeMutableBufferPointer { waiting in
                    column.withUnsafeMutableBufferPointer { column in
                        if isMax {
                            Self.slide(times, values, windows, column, waiting) { $0 > $1 }
                        } else {
                            Self.slide(times, values, windows, column, waiting) { $0 < $1 }
                        }
                    }
                }
            }
        }
    }

    /// `waiting[first..<last]` are the samples that are the extreme of the window, or will be once those before them have left it.
    /// Not a number goes last, and of equal values the first one counts.
    @inline(__always)
    private static func slide(
        _ times: UnsafeBufferPointer<Int64>, _ values: UnsafeBufferPointer<Double>, _ windows: RangeWindows,
        _ column: UnsafeMutableBufferPointer<Double>, _ waiting: UnsafeMutableBufferPointer<Int>, _ precedes: (Double, Double) -> Bool
    ) {
        var bounds = WindowBounds()
        var (first, last, next) = (0, 0, 0)
        for step in column.indices {
            let end = windows.ends.time(step)
            bounds.move(times, end - windows.length, end)
            let range = bounds.range
            if range.isEmpty { continue }
            next = max(next, range.lowerBound)
            while next < range.upperBound {
                let value = values[next]
                // SAFETY: `last` counts samples that were put in, of which there are no more than values.
                while last > first, precedes(value, values[waiting[last - 1]]) || values[waiting[last - 1]].isNaN { last -= 1 }
                waiting[last] = next
                last += 1
                next += 1
            }
            while waiting[first] < range.lowerBound { first += 1 }
            column[step] = values[waiting[first]]
        }
    }
}
