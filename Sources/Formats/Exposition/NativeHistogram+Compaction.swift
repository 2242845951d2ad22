package import Telemetry

extension NativeHistogram {
    /// The finest and the coarsest schema that PromQL knows; wire formats may bring finer ones.
    package static let schemas: ClosedRange<Int32> = -4...8
    private static let reservedSchemas: ClosedRange<Int32> = -9...52

    /// Whether its buckets are exponential, also those of a schema that is reserved for later.
    package var isExponential: Bool { Self.reservedSchemas.contains(schema) }

    /// How many buckets it has.
    package var bucketCount: Int { positiveCounts.count + negativeCounts.count }

    /// Leaves out buckets without observations, and runs without buckets.
    package mutating func compact() {
        (positiveRuns, positiveCounts) = Self.compacted(positiveRuns, positiveCounts) { $0 }
        (negativeRuns, negativeCounts) = Self.compacted(negativeRuns, negativeCounts) { $0 }
    }

    /// Merges neighbouring buckets until the schema is at most `coarsest`.
    package mutating func coarsen(to coarsest: Int32) {
        guard isExponential, coarsest < schema else { return }
        let shift = min(schema &- coarsest, 31)
        let map: (Int32) -> Int32 = { index in ((index &- 1) >> shift) &+ 1 }
        (positiveRuns, positiveCounts) = Self.compacted(positiveRuns, positiveCounts, map)
        (negativeRuns, negativeCounts) = Self.compacted(negativeRuns, negativeCounts, map)
        schema = coarsest
    }

    /// The buckets that hold something under the indexes that `map` gives them, which must keep their order.
    private static func compacted(_ runs: [Run], _ counts: [Double], _ map: (Int32) -> Int32) -> ([Run], [Double]) {
        var result: ([Run], [Double]) = ([], [])
        var (index, position) = (Int32(0), 0)
        var next: Int32 = 0
        for run in runs {
            index = index &+ run.offset
            for _ in 0..<run.length {
                guard position < counts.count else { return result }
                defer {
                    position += 1
                    index = index &+ 1
                }
                guard counts[position] != 0 else { continue }
                let mapped = map(index)
                if !result.0.isEmpty, mapped == next &- 1 {
                    result.1[result.1.count - 1] += counts[position]
                    continue
                }
                if !result.0.isEmpty, mapped == next {
                    result.0[result.0.count - 1].length += 1
                } else {
                    result.0.append(Run(offset: result.0.isEmpty ? mapped : mapped &- next, length: 1))
                }
                result.1.append(counts[position])
                next = mapped &+ 1
            }
        }
        return result
    }

    /// What is wrong with it, in Prometheus' words (model/histogram, `Validate`); nil where nothing is.
    package var flaw: String? {
        if schema == Self.customBoundsSchema {
            if let flaw = customFlaw { return "custom buckets: \(flaw)" }
        } else {
            guard isExponential else {
                return "histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, or -53 for custom buckets, "
                    + "got schema \(schema)"
            }
            if let flaw = Self.flaw(positiveRuns, positiveCounts) { return "positive side: \(flaw)" }
            if let flaw = Self.flaw(negativeRuns, negativeCounts) { return "negative side: \(flaw)" }
            if zeroCount < 0 { return "zero bucket has observation count of \(zeroCount): \(Self.negativeCount)" }
        }
        return count < 0 ? "observation count is \(count): histogram's observation count is negative" : nil
    }

    private var customFlaw: String? {
        for (index, bound) in customBounds.enumerated() {
            if bound.isNaN { return "histogram custom bounds must not be NaN" }
            if index > 0, bound <= customBounds[index - 1] { return "histogram custom bounds must be in strictly increasing order" }
        }
        if customBounds.last == .infinity { return "last +Inf bound must not be explicitly defined" }
        if zeroCount != 0 || zeroThreshold != 0 { return "must have zero count and zero threshold of 0" }
        if !negativeRuns.isEmpty || !negativeCounts.isEmpty { return "must not have negative buckets" }
        if let first = positiveRuns.first, first.offset < 0 { return "span number 1 with offset \(first.offset): \(Self.negativeOffset)" }
        if let flaw = Self.flaw(positiveRuns, positiveCounts) { return flaw }
        let span = positiveRuns.reduce(Int64(0)) { $0 &+ Int64($1.offset) &+ Int64($1.length) }
        if span <= Int64(customBounds.count) + 1 { return nil }
        return "only \(customBounds.count) custom bounds defined which is insufficient to cover total span length of \(span)"
    }

    private static let negativeCount = "histogram has a bucket whose observation count is negative"
    private static let negativeOffset = "histogram has a span whose offset is negative"

    private static func flaw(_ runs: [Run], _ counts: [Double]) -> String? {
        var bucketCount: UInt64 = 0
        for (index, run) in runs.enumerated() {
            if index > 0, run.offset < 0 { return "span number \(index + 1) with offset \(run.offset): \(negativeOffset)" }
            bucketCount &+= UInt64(run.length)
        }
        if bucketCount != UInt64(counts.count) { return "spans need \(bucketCount) buckets, have \(counts.count) buckets" }
        if let index = counts.firstIndex(where: { $0 < 0 }) {
            return "bucket number \(index + 1) has observation count of \(counts[index]): \(negativeCount)"
        }
        return nil
    }
}
