import Query
import Telemetry

extension RawSeries {
    /// `anchored` and `smoothed` ranges: the window's ends have values of their own, so nothing is extrapolated.
    ///
    /// - Throws: ``QueryError`` for a function that these ranges do not go with.
    func extendedRate(_ name: String, _ windows: RangeWindows, _ steps: Steps, into series: inout Series)
        throws(QueryError)
    {
        let isAnchored = windows.boundary == .anchored
        let allowed = isAnchored ? ["rate", "increase", "delta", "changes", "resets"] : ["rate", "increase", "delta"]
        guard allowed.contains(name) else {
            let list = allowed.sorted().joined(separator: ", ")
            throw QueryError(
                .execution, "\(windows.boundary.rawValue) modifier can only be used with: \(list) - not with \(name)")
        }
        for step in 0..<steps.count {
            let end = windows.ends.time(step)
            let start = end - windows.length
            let first = times.firstIndex { $0 > start } ?? times.count
            let last = times.lastIndex { $0 <= end } ?? -1
            var points: [Double] = []
            if let value = edge(start, before: first - 1, isAnchored) ?? (first < times.count ? values[first] : nil),
                first <= last || !isAnchored
            {
                points.append(value)
            }
            if first <= last { points += values[first...last] }
            if !isAnchored, let value = edge(end, before: last, false) ?? points.last { points.append(value) }
            guard points.count > 1 else { continue }
            series.values[step] = Self.change(name, points, seconds: Double(windows.length) / 1000)
        }
    }

    /// The value at an end of the window: the sample before it, or on the line to the one after it.
    private func edge(_ time: Int64, before index: Int, _ isAnchored: Bool) -> Double? {
        guard index >= 0, index < values.count else { return nil }
        guard !isAnchored, times[index] < time, index + 1 < values.count else { return values[index] }
        let (left, right) = (values[index], values[index + 1])
        let share = Double(time - times[index]) / Double(times[index + 1] - times[index])
        // A counter that was reset in between started anew from zero.
        return right < left ? right * share : left + (right - left) * share
    }

    private static func change(_ name: String, _ points: [Double], seconds: Double) -> Double {
        var (resets, changes) = (0.0, 0.0)
        var lost = 0.0
        for (previous, value) in zip(points, points.dropFirst()) {
            if value < previous {
                resets += 1
                lost += previous
            }
            if value != previous, !(value.isNaN && previous.isNaN) { changes += 1 }
        }
        let delta = points[points.count - 1] - points[0]
        switch name {
        case "changes": return changes
        case "resets": return resets
        case "delta": return delta
        case "increase": return delta + lost
        default: return (delta + lost) / seconds
        }
    }
}
