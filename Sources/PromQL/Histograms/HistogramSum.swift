import Telemetry

/// The sum and the mean of histograms, with what there is to report about them.
struct HistogramSum: Sendable {
    private(set) var count = 0
    private var sum: CompensatedHistogram?
    /// The mean as it is carried on once the sum is too large for a float.
    private var incremental: CompensatedHistogram?
    /// The reset hints that came by: both cannot be true of one time.
    private var sawReset = false
    private var sawNoReset = false
    private var boundsReconciled = false

    mutating func add(_ histogram: NativeHistogram) throws(IncompatibleBuckets) {
        count += 1
        sawReset = sawReset || histogram.resetHint == .reset
        sawNoReset = sawNoReset || histogram.resetHint == .notReset
        guard var next = sum else {
            sum = CompensatedHistogram(histogram)
            return
        }
        let notes = try next.add(histogram)
        boundsReconciled = boundsReconciled || notes.boundsReconciled
        if incremental == nil, next.isOverflown, let last = sum, !last.isOverflown {
            incremental = last.scaled(by: 1 / Double(count - 1))
        }
        if let last = incremental {
            var mean = last.scaled(by: Double(count - 1) / Double(count))
            _ = try mean.add(histogram.divided(by: Double(count)))
            incremental = mean
        }
        sum = next
    }

    var total: NativeHistogram? { sum?.value }

    var mean: NativeHistogram? {
        if var mean = incremental?.value {
            mean.resetHint = sum?.value.resetHint ?? .unknown
            return mean
        }
        return sum?.value.divided(by: Double(count))
    }

    func report(to annotations: Annotations, at place: SourceRange) {
        if sawReset && sawNoReset { annotations.conflictingResets(during: "aggregation", at: place) }
        if boundsReconciled { annotations.reconciledBounds(during: "aggregation", at: place) }
    }
}

/// A sum of histograms that carries the rounding errors along, as ``CompensatedSum`` does for floats.
private struct CompensatedHistogram: Sendable {
    private var sum: NativeHistogram
    /// In the layout of ``sum``.
    private var errors: NativeHistogram

    init(_ histogram: NativeHistogram) {
        sum = histogram
        errors = NativeHistogram(
            schema: histogram.schema, zeroThreshold: histogram.zeroThreshold, customBounds: histogram.customBounds)
    }

    mutating func add(_ histogram: NativeHistogram) throws(IncompatibleBuckets) -> HistogramMergeNotes {
        var other = histogram
        // A first addition, of zeros, brings all of them into one layout.
        let layout = other.scaledToZero
        var notes = try sum.add(layout)
        try other.adoptLayout(of: sum)
        try errors.adoptLayout(of: sum)
        errors.zeroCount += Self.error(sum.zeroCount, other.zeroCount)
        errors.count += Self.error(sum.count, other.count)
        errors.sum += Self.error(sum.sum, other.sum)
        errors.setPositive(errors.positive.merged(sum.positive.merged(other.positive, Self.error), +))
        errors.setNegative(errors.negative.merged(sum.negative.merged(other.negative, Self.error), +))
        let second = try sum.add(other)
        notes.resetsConflict = notes.resetsConflict || second.resetsConflict
        return notes
    }

    /// What is lost when `b` is added to `a` (Neumaier).
    private static func error(_ a: Double, _ b: Double) -> Double {
        let total = a + b
        if !total.isFinite { return 0 }
        return a.magnitude >= b.magnitude ? (a - total) + b : (b - total) + a
    }

    func scaled(by factor: Double) -> CompensatedHistogram {
        var result = self
        result.sum = sum.scaled(by: factor)
        result.errors = errors.scaled(by: factor)
        return result
    }

    var value: NativeHistogram {
        var result = sum
        func corrected(_ value: Double, _ error: Double) -> Double { value.isFinite ? value + error : value }
        result.zeroCount = corrected(sum.zeroCount, errors.zeroCount)
        result.count = corrected(sum.count, errors.count)
        result.sum = corrected(sum.sum, errors.sum)
        result.setPositive(sum.positive.merged(errors.positive, corrected))
        result.setNegative(sum.negative.merged(errors.negative, corrected))
        return result
    }

    var isOverflown: Bool {
        sum.count.isInfinite || sum.sum.isInfinite || sum.zeroCount.isInfinite
            || sum.positiveCounts.contains(where: \.isInfinite)
            || sum.negativeCounts.contains(where: \.isInfinite)
    }
}

extension NativeHistogram {
    /// The same buckets with nothing in them, for the sake of their layout; filled buckets keep the zero threshold honest.
    fileprivate var scaledToZero: NativeHistogram {
        NativeHistogram(schema: schema, zeroThreshold: zeroThreshold, customBounds: customBounds, resetHint: resetHint)
    }

    /// Brings the buckets into the layout of `other`, which is the coarser one.
    fileprivate mutating func adoptLayout(of other: NativeHistogram) throws(IncompatibleBuckets) {
        guard usesCustomBounds == other.usesCustomBounds else { throw IncompatibleBuckets() }
        if usesCustomBounds {
            setBounds(other.customBounds)
        } else {
            reduceResolution(to: other.schema)
            if zeroThreshold < other.zeroThreshold { widenZeroBucket(to: other.zeroThreshold) }
        }
    }
}
