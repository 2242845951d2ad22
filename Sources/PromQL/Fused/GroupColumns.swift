/// The columns of an aggregation's groups, a value for each step, end to end.
struct GroupColumns: Sendable {
    private let operation: AggregationOperator
    private let stepCount: Int
    /// Sums, or the least or greatest values.
    private var values: [Double] = []
    private var compensations: [Double] = []
    private var counts: [Double] = []

    init(_ operation: AggregationOperator, stepCount: Int) {
        self.operation = operation
        self.stepCount = stepCount
    }

    private var isSum: Bool { operation == .sum || operation == .avg }

    /// Makes room for one group more.
    mutating func addGroup() {
        let count = values.count + stepCount
        values += Array(repeating: isSum ? 0 : Absent.value, count: stepCount)
        if isSum { compensations += Array(repeating: 0, count: stepCount) }
        counts += Array(repeating: 0, count: count - counts.count)
    }

    /// Takes a series' column into a group.
    mutating func add(_ column: UnsafeBufferPointer<Double>, to group: Int) {
        precondition(column.count == stepCount && (group + 1) * stepCount <= values.count)
        let offset = group * stepCount
        // SAFETY: the precondition keeps offset + step within the arrays; no buffer outlives its call.
        counts.withUnsafeMutableBufferPointer { counts in
            values.withUnsafeMutableBufferPointer { values in
                switch operation {
                case .sum, .avg:
                    compensations.withUnsafeMutableBufferPointer { compensations in
                        for step in 0..<stepCount {
                            // Adding zero changes nothing: no branch is needed for what is absent.
                            let isAbsent = Absent.holds(column[step])
                            let value = isAbsent ? 0 : column[step]
                            let sum = values[offset &+ step]
                            let total = sum + value
                            compensations[offset &+ step] +=
                                sum.magnitude >= value.magnitude ? (sum - total) + value : (value - total) + sum
                            values[offset &+ step] = total
                            counts[offset &+ step] += isAbsent ? 0 : 1
                        }
                    }
                case .min, .max:
                    let isMinimum = operation == .min
                    for step in 0..<stepCount where !Absent.holds(column[step]) {
                        let (held, value) = (values[offset &+ step], column[step])
                        if held.isNaN || (isMinimum ? value < held : value > held) { values[offset &+ step] = value }
                        counts[offset &+ step] += 1
                    }
                default:
                    for step in 0..<stepCount { counts[offset &+ step] += Absent.holds(column[step]) ? 0 : 1 }
                }
            }
        }
    }

    /// Takes another part's column of a group into one of this part's.
    mutating func add(_ other: GroupColumns, _ otherGroup: Int, to group: Int) {
        for step in 0..<stepCount {
            let (from, to) = (otherGroup * stepCount + step, group * stepCount + step)
            guard other.counts[from] > 0 else { continue }
            switch operation {
            case .sum, .avg:
                var sum = CompensatedSum(sum: values[to], compensation: compensations[to])
                sum.add(other.values[from])
                (values[to], compensations[to]) = (sum.sum, sum.compensation + other.compensations[from])
            case .min, .max:
                let (held, value) = (values[to], other.values[from])
                if held.isNaN || (operation == .min ? value < held : value > held) { values[to] = value }
            default: break
            }
            counts[to] += other.counts[from]
        }
    }

    /// A group's result; nil where a sum overflowed on the way to a mean, which then needs the values again.
    func column(_ group: Int) -> [Double]? {
        var result = Array(repeating: Absent.value, count: stepCount)
        for step in 0..<stepCount {
            let index = group * stepCount + step
            guard counts[index] > 0 else { continue }
            switch operation {
            case .sum: result[step] = values[index].isFinite ? values[index] + compensations[index] : values[index]
            case .avg:
                guard values[index].isFinite else { return nil }
                result[step] = values[index] / counts[index] + compensations[index] / counts[index]
            case .min, .max: result[step] = values[index]
            case .group: result[step] = 1
            default: result[step] = counts[index]
            }
        }
        return result
    }
}
