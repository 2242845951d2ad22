import Glibc

/// The unwrapped samples of one series, and the functions over windows of them.
///
/// Where the ends of all windows lie on the steps, samples are gathered in panes, of which every window is a run: no sample is sorted,
/// and what can be joined is worked out once a pane. Functions that ask for the order of time, and windows of other lengths, have the samples
/// one by one.
struct WindowSamples: Sendable {
    private var timestamps: [Int64] = []
    private var values: [Double] = []
    /// Where runs that ascend begin.
    private var runs: [Int] = []
    private let panes: PaneGrid?
    private var byPane: [[Double]]

    init(_ aggregation: RangeAggregation, _ grid: StepGrid) {
        panes = PaneGrid(aggregation, grid)
        byPane = [[Double]](repeating: [], count: panes?.count ?? 0)
    }

    mutating func append(_ timestamp: Int64, _ value: Double) {
        if let panes {
            if let pane = panes.pane(of: timestamp) { byPane[pane].append(value) }
            return
        }
        if timestamps.last.map({ timestamp < $0 }) ?? true { runs.append(timestamps.count) }
        timestamps.append(timestamp)
        values.append(value)
    }

    /// Adds those of a block's rows that are samples.
    ///
    /// - Parameters:
    ///   - timestamps: ascending.
    ///   - isSample: by row: 1 where it is one.
    mutating func append(_ timestamps: [Int64], _ values: [Double], _ isSample: [UInt8]) {
        guard let panes else {
            for row in timestamps.indices where isSample[row] == 1 { append(timestamps[row], values[row]) }
            return
        }
        var row = 0
        while row < timestamps.count {
            guard let pane = panes.pane(of: timestamps[row]) else {
                row += 1
                continue
            }
            let end = panes.end(of: pane)
            while row < timestamps.count, timestamps[row] <= end {
                if isSample[row] == 1 { byPane[pane].append(values[row]) }
                row += 1
            }
        }
    }

    mutating func append(_ other: WindowSamples) {
        for pane in byPane.indices { byPane[pane] += other.byPane[pane] }
        runs += other.runs.map { $0 + timestamps.count }
        timestamps += other.timestamps
        values += other.values
    }

    /// The aggregation's value at every step whose window holds a sample.
    mutating func fill(_ series: inout StepSeries, _ aggregation: RangeAggregation, _ grid: StepGrid) {
        if let panes {
            fill(&series, aggregation, panes)
            return
        }
        sort()
        var (low, high) = (0, 0)
        for step in 0..<grid.count {
            let end = grid.time(step) &- aggregation.offset
            let start = end &- aggregation.range
            while high < timestamps.count, timestamps[high] <= end { high += 1 }
            while low < high, timestamps[low] <= start { low += 1 }
            guard low < high, let value = value(low..<high, aggregation, start: start, end: end) else { continue }
            (series.values[step], series.present[step]) = (value, true)
        }
    }

    /// Streams come one after another: a series made of several has its samples in runs, which are merged. Of one instant those that came
    /// first stand first.
    private mutating func sort() {
        while runs.count > 1 {
            var (times, sorted, starts) = ([Int64](), [Double](), [Int]())
            times.reserveCapacity(timestamps.count)
            sorted.reserveCapacity(values.count)
            for pair in stride(from: 0, to: runs.count, by: 2) {
                starts.append(times.count)
                var left = runs[pair]
                let middle = pair + 1 < runs.count ? runs[pair + 1] : timestamps.count
                let end = pair + 2 < runs.count ? runs[pair + 2] : timestamps.count
                var right = middle
                while left < middle || right < end {
                    let takesLeft = right >= end || (left < middle && timestamps[left] <= timestamps[right])
                    let next = takesLeft ? left : right
                    times.append(timestamps[next])
                    sorted.append(values[next])
                    if takesLeft { left += 1 } else { right += 1 }
                }
            }
            (timestamps, values, runs) = (times, sorted, starts)
        }
    }

    private func value(_ window: Range<Int>, _ aggregation: RangeAggregation, start: Int64, end: Int64) -> Double? {
        switch aggregation.operation {
        case .first: return values[window.lowerBound]
        case .last: return values[window.upperBound - 1]
        case .rateCounter: return rateCounter(window, start: start, end: end)
        default: return Statistics.value(Array(values[window]), aggregation)
        }
    }

    /// Prometheus' `rate` of a counter: resets added, extrapolated to the ends of the window where samples come close to them.
    private func rateCounter(_ window: Range<Int>, start: Int64, end: Int64) -> Double? {
        guard window.count > 1 else { return 0 }
        let (first, last) = (window.lowerBound, window.upperBound - 1)
        var increase = values[last] - values[first]
        for index in (first + 1)...last where values[index] < values[index - 1] { increase += values[index - 1] }
        var toStart = Double(timestamps[first] - start) / 1e9
        var toEnd = Double(end - timestamps[last]) / 1e9
        let sampled = Double(timestamps[last] - timestamps[first]) / 1e9
        guard sampled > 0 else { return .nan }
        let average = sampled / Double(window.count - 1)
        if increase > 0, values[first] >= 0 { toStart = min(toStart, sampled * (values[first] / increase)) }
        let threshold = average * 1.1
        var extrapolated = sampled
        extrapolated += toStart < threshold ? toStart : average / 2
        toEnd = toEnd < threshold ? toEnd : average / 2
        extrapolated += toEnd
        return increase * (extrapolated / sampled) / (Double(end - start) / 1e9)
    }

    // MARK: Panes

    private func fill(_ series: inout StepSeries, _ aggregation: RangeAggregation, _ panes: PaneGrid) {
        let joins = Statistics.join(aggregation.operation)
        // What a pane adds to each window that it lies in.
        var parts: [Double?] = []
        if joins != nil { parts = byPane.map { $0.isEmpty ? nil : Statistics.value($0, aggregation) } }
        var window: [Double] = []
        for step in 0..<(panes.count - panes.windowCount + 1) {
            let range = step..<step + panes.windowCount
            if let joins {
                var joined: Double?
                for pane in range {
                    guard let part = parts[pane] else { continue }
                    joined = joined.map { joins($0, part) } ?? part
                }
                if let joined { (series.values[step], series.present[step]) = (joined, true) }
                continue
            }
            window.removeAll(keepingCapacity: true)
            for pane in range { window += byPane[pane] }
            if !window.isEmpty { (series.values[step], series.present[step]) = (Statistics.value(&window, aggregation), true) }
        }
    }
}

/// The panes that all windows of a query are runs of: as long as a step, or, of a single window, as long as that.
struct PaneGrid: Sendable {
    /// Of the first pane; the instant itself lies before it.
    private let origin: Int64
    private let length: Int64
    let count: Int
    /// Panes of a window.
    let windowCount: Int

    /// Beyond it panes cost more than they save.
    private static let countMax = 1 << 15

    /// nil where the windows' ends do not lie on the steps, or the function asks for the order of samples.
    init?(_ aggregation: RangeAggregation, _ grid: StepGrid) {
        switch aggregation.operation {
        case .first, .last, .rateCounter: return nil
        default: break
        }
        guard aggregation.range > 0 else { return nil }
        origin = grid.start &- aggregation.offset &- aggregation.range
        if grid.count == 1 {
            (length, count, windowCount) = (aggregation.range, 1, 1)
            return
        }
        let (windowCount, rest) = aggregation.range.quotientAndRemainder(dividingBy: grid.step)
        guard rest == 0, windowCount <= Self.countMax, grid.count <= Self.countMax else { return nil }
        (length, count, self.windowCount) = (grid.step, grid.count - 1 + Int(windowCount), Int(windowCount))
    }

    func pane(of timestamp: Int64) -> Int? {
        let distance = timestamp &- origin
        guard distance > 0, (distance - 1) / length < Int64(count) else { return nil }
        return Int((distance - 1) / length)
    }

    /// The last instant of a pane.
    func end(of pane: Int) -> Int64 { origin &+ Int64(pane + 1) &* length }
}
