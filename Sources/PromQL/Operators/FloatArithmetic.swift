import Foundation

/// The operators on two floats.
enum FloatArithmetic {
    static func apply(_ operation: BinaryOperator, _ a: Double, _ b: Double) -> Double {
        switch operation {
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        case .modulo: fmod(a, b)
        case .power: pow(a, b)
        case .atan2: Foundation.atan2(a, b)
        default: holds(operation, a, b) ? 1 : 0
        }
    }

    /// Whether a comparison holds.
    static func holds(_ operation: BinaryOperator, _ a: Double, _ b: Double) -> Bool {
        switch operation {
        case .equal: a == b
        case .notEqual: a != b
        case .greater: a > b
        case .less: a < b
        case .greaterOrEqual: a >= b
        case .lessOrEqual: a <= b
        default: false
        }
    }
}

/// Summation that carries the rounding error along (Neumaier's variant of Kahan's).
struct CompensatedSum: Sendable {
    var sum = 0.0
    var compensation = 0.0

    @inline(__always)
    mutating func add(_ value: Double) {
        let total = sum + value
        if total.isInfinite {
            compensation = 0
        } else if sum.magnitude >= value.magnitude {
            compensation += (sum - total) + value
        } else {
            compensation += (value - total) + sum
        }
        sum = total
    }

    var value: Double { sum.isInfinite ? sum : sum + compensation }
}

/// A mean that goes over to incremental calculation where the sum would overflow (Prometheus' `avg` and `avg_over_time`).
struct CompensatedMean: Sendable {
    private var total = CompensatedSum()
    private var mean = CompensatedSum()
    private var count = 0.0
    private var isIncremental = false

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
            mean = CompensatedSum(sum: total.sum / (count - 1), compensation: total.compensation / (count - 1))
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
        isIncremental ? mean.value : total.sum.isInfinite ? total.sum / count : total.sum / count + total.compensation / count
    }
}
