/// Summation that carries the rounding error along (Neumaier's variant of Kahan's).
struct CompensatedSum: Sendable {
    var sum = 0.0
    /// Means nothing once ``sum`` is infinite, which it then stays.
    var compensation = 0.0

    @inline(__always)
    mutating func add(_ value: Double) {
        let total = sum + value
        compensation += sum.magnitude >= value.magnitude ? (sum - total) + value : (value - total) + sum
        sum = total
    }

    var value: Double { sum.isFinite ? sum + compensation : sum }
}

/// A mean that goes over to incremental calculation where the sum would overflow (Prometheus' `avg` and `avg_over_time`).
struct CompensatedMean: Sendable {
    private var total = CompensatedSum()
    private var mean = CompensatedSum()
    private var count = 0.0
    private var isIncremental = false

    /// The mean of values of which there is at least one.
    static func of(_ values: some Sequence<Double>) -> Double {
        var sum = CompensatedSum()
        var count = 0.0
        for value in values {
            sum.add(value)
            count += 1
        }
        if sum.sum.isFinite { return sum.sum / count + sum.compensation / count }
        // It overflowed on the way, or there were infinities: step by step.
        var mean = CompensatedMean()
        for value in values { mean.add(value) }
        return mean.value
    }

    mutating func add(_ value: Double) {
        count += 1
        if !isIncremental {
            var next = total
            next.add(value)
            if count == 1 || !next.sum.isInfinite {
                total = next
                return
            }
            isIncremental = true
            let carried = total.sum.isFinite ? total.compensation : 0
            mean = CompensatedSum(sum: total.sum / (count - 1), compensation: carried / (count - 1))
        }
        if mean.sum.isInfinite {
            // An infinite mean stays: subtracting infinities would make it NaN.
            if value.isInfinite, (mean.sum > 0) == (value > 0) { return }
            if value.isFinite { return }
        }
        let share = (count - 1) / count
        mean = CompensatedSum(sum: share * mean.sum, compensation: share * mean.compensation)
        mean.add(value / count)
    }

    var value: Double {
        if isIncremental { return mean.value }
        return total.sum.isFinite ? total.sum / count + total.compensation / count : total.sum / count
    }
}

/// Sums of columns, a value for each step.
struct ColumnSums {
    private var sums: [Double]
    private var compensations: [Double]
    private(set) var counts: [Double]

    init(stepCount: Int) {
        sums = Array(repeating: 0, count: stepCount)
        compensations = sums
        counts = sums
    }

    /// Adds a column as long as the sums; absent values do not count.
    mutating func add(_ column: [Double]) {
        precondition(column.count == sums.count)
        // SAFETY: all four buffers are as long as `sums`, and none outlives its call.
        column.withUnsafeBufferPointer { column in
            sums.withUnsafeMutableBufferPointer { sums in
                compensations.withUnsafeMutableBufferPointer { compensations in
                    counts.withUnsafeMutableBufferPointer { counts in
                        for step in column.indices {
                            // Adding zero changes nothing: no branch is needed for what is absent.
                            let isAbsent = Absent.holds(column[step])
                            let value = isAbsent ? 0 : column[step]
                            let sum = sums[step]
                            let total = sum + value
                            compensations[step] +=
                                sum.magnitude >= value.magnitude ? (sum - total) + value : (value - total) + sum
                            sums[step] = total
                            counts[step] += isAbsent ? 0 : 1
                        }
                    }
                }
            }
        }
    }

    /// The sum at a step; ``Absent`` where nothing was added.
    func sum(at step: Int) -> Double {
        if counts[step] == 0 { return Absent.value }
        return sums[step].isFinite ? sums[step] + compensations[step] : sums[step]
    }

    /// The mean at a step; nil where the sum is no finite number.
    func mean(at step: Int) -> Double? {
        sums[step].isFinite ? sums[step] / counts[step] + compensations[step] / counts[step] : nil
    }
}
