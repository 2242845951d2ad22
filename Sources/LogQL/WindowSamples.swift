import Glibc

/// The unwrapped samples of one series, and the functions over windows of them.
struct WindowSamples {
    private var timestamps: [Int64] = []
    private var values: [Double] = []
    private var isSorted = true

    mutating func append(_ timestamp: Int64, _ value: Double) {
        if let last = timestamps.last, timestamp < last { isSorted = false }
        timestamps.append(timestamp)
        values.append(value)
    }

    /// The aggregation's value at every step whose window holds a sample.
    mutating func fill(_ series: inout StepSeries, _ aggregation: RangeAggregation, _ grid: StepGrid) {
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

    /// Streams come one after another: a series made of several has its samples out of order.
    private mutating func sort() {
        guard !isSorted else { return }
        let order = timestamps.indices.sorted { timestamps[$0] == timestamps[$1] ? $0 < $1 : timestamps[$0] < timestamps[$1] }
        (timestamps, values) = (order.map { timestamps[$0] }, order.map { values[$0] })
        isSorted = true
    }

    private func value(_ window: Range<Int>, _ aggregation: RangeAggregation, start: Int64, end: Int64) -> Double? {
        let values = values[window]
        switch aggregation.operation {
        case .sum: return values.reduce(0, +)
        case .rate: return values.reduce(0, +) / (Double(aggregation.range) / 1e9)
        case .average:
            // A running mean, which does not overflow.
            var mean = 0.0
            for (index, value) in values.enumerated() { mean += (value - mean) / Double(index + 1) }
            return mean
        case .minimum: return values.reduce(values[window.lowerBound]) { $1 < $0 || $0.isNaN ? $1 : $0 }
        case .maximum: return values.reduce(values[window.lowerBound]) { $1 > $0 || $0.isNaN ? $1 : $0 }
        case .variance: return Statistics.variance(values)
        case .standardDeviation: return Statistics.variance(values).squareRoot()
        case .quantile: return Statistics.quantile(aggregation.parameter ?? 0, Array(values))
        case .first: return values.first
        case .last: return values.last
        case .rateCounter: return rateCounter(window, start: start, end: end)
        case .count, .absent: return Double(values.count)
        case .bytes, .bytesRate: return nil
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
}

/// Statistics over plain numbers.
enum Statistics {
    /// The variance of the population (Welford 1962).
    static func variance(_ values: some Collection<Double>) -> Double {
        var (mean, sum, count) = (0.0, 0.0, 0.0)
        for value in values {
            count += 1
            let delta = value - mean
            mean += delta / count
            sum += delta * (value - mean)
        }
        return sum / count
    }

    /// Prometheus' quantile: interpolated between the two nearest ranks.
    static func quantile(_ quantile: Double, _ values: [Double]) -> Double {
        if values.isEmpty || quantile.isNaN { return .nan }
        if quantile < 0 { return -.infinity }
        if quantile > 1 { return .infinity }
        let sorted = values.sorted { $0.isNaN ? !$1.isNaN : $0 < $1 }
        let rank = quantile * Double(sorted.count - 1)
        let lower = max(0, Int(rank.rounded(.down)))
        let upper = min(sorted.count - 1, lower + 1)
        let weight = rank - rank.rounded(.down)
        return sorted[lower] * (1 - weight) + sorted[upper] * weight
    }
}
