/// Statistics over plain numbers.
enum Statistics {
    /// The value of a range aggregation that does not ask for the order of its samples, of which there is at least one.
    static func value(_ values: [Double], _ aggregation: RangeAggregation) -> Double {
        var values = values
        return value(&values, aggregation)
    }

    /// The same; the order of `values` may change.
    static func value(_ values: inout [Double], _ aggregation: RangeAggregation) -> Double {
        switch aggregation.operation {
        case .sum, .bytes, .bytesRate: return sum(values)
        case .rate: return sum(values) / (Double(aggregation.range) / 1e9)
        case .average: return average(values)
        case .minimum: return values.dropFirst().reduce(values[0], lesser)
        case .maximum: return values.dropFirst().reduce(values[0], greater)
        case .variance: return variance(values)
        case .standardDeviation: return variance(values).squareRoot()
        case .quantile: return quantile(aggregation.parameter ?? 0, &values)
        case .first: return values[0]
        case .last: return values[values.count - 1]
        case .count, .absent, .rateCounter: return Double(values.count)
        }
    }

    /// How the values of two parts of a window become that of both; nil where they cannot.
    static func join(_ operation: RangeAggregation.Operation) -> ((Double, Double) -> Double)? {
        switch operation {
        case .sum, .rate, .count, .absent: { $0 + $1 }
        case .minimum: lesser
        case .maximum: greater
        default: nil
        }
    }

    /// What is no number counts only where there is nothing else.
    private static func lesser(_ left: Double, _ right: Double) -> Double { right < left || left.isNaN ? right : left }
    private static func greater(_ left: Double, _ right: Double) -> Double { right > left || left.isNaN ? right : left }

    private static func sum(_ values: [Double]) -> Double {
        var sum = 0.0
        for value in values { sum += value }
        return sum
    }

    private static func average(_ values: [Double]) -> Double {
        let total = sum(values)
        if total.isFinite { return total / Double(values.count) }
        // A running mean does not overflow.
        var mean = 0.0
        for (index, value) in values.enumerated() { mean += (value - mean) / Double(index + 1) }
        return mean
    }

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

    /// Prometheus' quantile: interpolated between the two nearest ranks. What is no number stands before all numbers.
    static func quantile(_ quantile: Double, _ values: [Double]) -> Double {
        var values = values
        return self.quantile(quantile, &values)
    }

    private static func quantile(_ quantile: Double, _ values: inout [Double]) -> Double {
        if values.isEmpty || quantile.isNaN { return .nan }
        if quantile < 0 { return -.infinity }
        if quantile > 1 { return .infinity }
        let rank = quantile * Double(values.count - 1)
        let lower = max(0, Int(rank.rounded(.down)))
        let upper = min(values.count - 1, lower + 1)
        let weight = rank - rank.rounded(.down)
        let (first, second) = values.withUnsafeMutableBufferPointer { values -> (Double, Double) in
            let numbers = values.partition { !$0.isNaN }
            if lower < numbers {
                return (values[lower], upper < numbers ? values[upper] : values[upper...].min() ?? .nan)
            }
            var rest = UnsafeMutableBufferPointer(rebasing: values[numbers...])
            select(&rest, lower - numbers)
            let first = rest[lower - numbers]
            // Behind the selected place stand only greater ones.
            let second = upper == lower ? first : rest[(upper - numbers)...].min() ?? first
            return (first, second)
        }
        return first * (1 - weight) + second * weight
    }

    /// Puts the `wanted`-th least number in its place, lesser ones before it and greater ones behind (Hoare 1961).
    private static func select(_ values: inout UnsafeMutableBufferPointer<Double>, _ wanted: Int) {
        var (low, high) = (0, values.count - 1)
        while low < high {
            let middle = low + (high - low) / 2
            // The middle of three, so that sorted values are no worst case.
            if values[middle] < values[low] { values.swapAt(middle, low) }
            if values[high] < values[low] { values.swapAt(high, low) }
            if values[high] < values[middle] { values.swapAt(high, middle) }
            let pivot = values[middle]
            var (left, right) = (low, high)
            while left <= right {
                while values[left] < pivot { left += 1 }
                while values[right] > pivot { right -= 1 }
                if left <= right {
                    values.swapAt(left, right)
                    left += 1
                    right -= 1
                }
            }
            if wanted <= right {
                high = right
            } else if wanted >= left {
                low = left
            } else {
                return
            }
        }
    }
}
