import Telemetry

/// The sum and the mean of histograms, with what there is to report about them.
struct HistogramSum: Sendable {
    private(set) var count = 0
    private(set) var total: NativeHistogram?
    /// The mean as it is carried on once the sum is too large for a float.
    private var incremental: NativeHistogram?
    private var resetsConflict = false
    private var boundsReconciled = false

    mutating func add(_ histogram: NativeHistogram) throws(IncompatibleBuckets) {
        count += 1
        guard var sum = total else {
            total = histogram
            return
        }
        let notes = try sum.add(histogram)
        resetsConflict = resetsConflict || notes.resetsConflict
        boundsReconciled = boundsReconciled || notes.boundsReconciled
        if incremental == nil, sum.isOverflown, let last = total, !last.isOverflown {
            incremental = last.divided(by: Double(count - 1))
        }
        if var mean = incremental {
            let share = Double(count - 1) / Double(count)
            mean = mean.scaled(by: share)
            _ = try mean.add(histogram.divided(by: Double(count)))
            incremental = mean
        }
        total = sum
    }

    var mean: NativeHistogram? {
        if var incremental {
            incremental.resetHint = total?.resetHint ?? .unknown
            return incremental
        }
        return total?.divided(by: Double(count))
    }

    func report(to annotations: Annotations, at place: SourceRange) {
        if resetsConflict { annotations.conflictingResets(during: "aggregation", at: place) }
        if boundsReconciled { annotations.reconciledBounds(during: "aggregation", at: place) }
    }
}

extension NativeHistogram {
    fileprivate var isOverflown: Bool {
        count.isInfinite || sum.isInfinite || zeroCount.isInfinite || positiveCounts.contains(where: \.isInfinite)
            || negativeCounts.contains(where: \.isInfinite)
    }
}
