package import Telemetry

/// What there is to report about an addition or subtraction of histograms.
struct HistogramMergeNotes: Sendable {
    /// One side says that there was a counter reset, the other that there was none.
    var resetsConflict = false
    /// Custom bounds differed: only those that both have are left.
    var boundsReconciled = false
}

/// Exponential and custom bounds do not go together.
struct IncompatibleBuckets: Error, Sendable {}

extension NativeHistogram {
    /// Adds `other`, bucket by bucket, in the coarser of both resolutions.
    mutating func add(_ other: NativeHistogram) throws(IncompatibleBuckets) -> HistogramMergeNotes {
        var notes = try combine(other, +)
        notes.resetsConflict = mergeHint(other.resetHint)
        return notes
    }

    /// Subtracts `other`, bucket by bucket, in the coarser of both resolutions.
    mutating func subtract(_ other: NativeHistogram) throws(IncompatibleBuckets) -> HistogramMergeNotes {
        var notes = try combine(other, -)
        notes.resetsConflict = mergeHint(other.resetHint)
        return notes
    }

    private mutating func combine(_ other: NativeHistogram, _ combine: (Double, Double) -> Double)
        throws(IncompatibleBuckets) -> HistogramMergeNotes
    {
        guard usesCustomBounds == other.usesCustomBounds else { throw IncompatibleBuckets() }
        var other = other
        var notes = HistogramMergeNotes()
        if usesCustomBounds {
            if customBounds != other.customBounds {
                let shared = Self.sharedBounds(customBounds, other.customBounds)
                setBounds(shared)
                other.setBounds(shared)
                notes.boundsReconciled = true
            }
        } else {
            let coarser = min(schema, other.schema)
            reduceResolution(to: coarser)
            other.reduceResolution(to: coarser)
            reconcileZeroBuckets(&other)
        }
        zeroCount = combine(zeroCount, other.zeroCount)
        count = combine(count, other.count)
        sum = combine(sum, other.sum)
        setPositive(positive.merged(other.positive, combine))
        setNegative(negative.merged(other.negative, combine))
        return notes
    }

    /// Multiplies every count and the sum.
    func scaled(by factor: Double) -> NativeHistogram { mapped { $0 * factor }.asGauge(factor < 0) }

    /// Divides every count and the sum.
    func divided(by divisor: Double) -> NativeHistogram {
        var result = mapped { $0 / divisor }.asGauge(divisor < 0)
        // Division by zero leaves no bucket: they would all be NaN or infinite.
        if divisor == 0 {
            (result.positiveRuns, result.positiveCounts, result.negativeRuns, result.negativeCounts) = ([], [], [], [])
        }
        return result
    }

    private func mapped(_ change: (Double) -> Double) -> NativeHistogram {
        var result = self
        result.zeroCount = change(zeroCount)
        result.count = change(count)
        result.sum = change(sum)
        result.positiveCounts = positiveCounts.map(change)
        result.negativeCounts = negativeCounts.map(change)
        return result
    }

    private func asGauge(_ isGauge: Bool) -> NativeHistogram {
        guard isGauge else { return self }
        var result = self
        result.resetHint = .gauge
        return result
    }

    /// The hint of a sum. Returns whether the hints contradict each other.
    private mutating func mergeHint(_ other: ResetHint) -> Bool {
        switch (resetHint, other) {
        case (let a, let b) where a == b: return false
        case (.gauge, _): return false
        case (_, .gauge): resetHint = .gauge
        case (.unknown, _): return false
        case (_, .unknown): resetHint = .unknown
        default:
            resetHint = .unknown
            return true
        }
        return false
    }

    /// Merges neighbouring buckets down to a coarser schema.
    mutating func reduceResolution(to coarser: Int32) {
        guard !usesCustomBounds, coarser < schema else { return }
        let shift = schema &- coarser
        let map: (Int32) -> Int32 = { (($0 &- 1) >> shift) &+ 1 }
        setPositive(positive.mapped(map))
        setNegative(negative.mapped(map))
        schema = coarser
    }

    // MARK: Custom bounds

    static func sharedBounds(_ a: [Double], _ b: [Double]) -> [Double] {
        var shared: [Double] = []
        var (i, j) = (0, 0)
        while i < a.count, j < b.count {
            if a[i] == b[j] {
                shared.append(a[i])
                i += 1
                j += 1
            } else if a[i] < b[j] {
                i += 1
            } else {
                j += 1
            }
        }
        return shared
    }

    /// Moves every bucket to the first of `bounds` that is not below its own.
    mutating func setBounds(_ bounds: [Double]) {
        guard bounds != customBounds else { return }
        let old = self
        setPositive(
            positive.mapped { index in
                let bound = old.bound(index)
                return Int32(truncatingIfNeeded: bounds.firstIndex { $0 >= bound } ?? bounds.count)
            })
        customBounds = bounds
    }

    // MARK: Zero buckets

    /// Widens the narrower zero bucket until both are equally wide; buckets that it reaches go into it.
    private mutating func reconcileZeroBuckets(_ other: inout NativeHistogram) {
        while zeroThreshold != other.zeroThreshold {
            if zeroThreshold < other.zeroThreshold {
                widenZeroBucket(to: other.zeroThreshold)
            } else {
                other.widenZeroBucket(to: zeroThreshold)
            }
        }
    }

    mutating func widenZeroBucket(to threshold: Double) {
        let widened = zeroBucket(widenedTo: threshold)
        let old = self
        func isOutside(_ index: Int32) -> Bool { old.bound(index &- 1) >= widened.threshold }
        setPositive(positive.filtered(isOutside))
        setNegative(negative.filtered(isOutside))
        zeroThreshold = widened.threshold
        zeroCount = widened.count
    }

    /// The count of a zero bucket as wide as `threshold`, or wider, up to the end of a filled bucket that it would cut.
    func zeroBucket(widenedTo wanted: Double) -> (count: Double, threshold: Double) {
        if wanted == zeroThreshold { return (zeroCount, wanted) }
        var threshold = wanted
        while true {
            var count = zeroCount
            var reached = threshold
            for bucket in bucketList(negative: false) {
                if bucket.lower >= threshold { break }
                count += bucket.count
                if bucket.upper > threshold {
                    reached = bucket.upper
                    break
                }
            }
            threshold = reached
            for bucket in bucketList(negative: true) {
                if -bucket.upper >= threshold { break }
                count += bucket.count
                if -bucket.lower > threshold {
                    reached = -bucket.lower
                    break
                }
            }
            if reached == threshold { return (count, threshold) }
            threshold = reached
        }
    }

    // MARK: Counter resets

    /// Whether a counter was reset between `previous` and this sample.
    func isReset(after previous: NativeHistogram) -> Bool {
        switch resetHint {
        case .reset: return true
        case .notReset: return false
        case .unknown, .gauge: break
        }
        if count < previous.count { return true }
        if usesCustomBounds != previous.usesCustomBounds { return true }
        var (now, before) = (self, previous)
        if usesCustomBounds {
            let shared = Self.sharedBounds(customBounds, previous.customBounds)
            now.setBounds(shared)
            before.setBounds(shared)
        } else {
            // A finer resolution or narrower zero bucket comes only with a new start.
            if schema > previous.schema || zeroThreshold < previous.zeroThreshold { return true }
            let widened = before.zeroBucket(widenedTo: zeroThreshold)
            if widened.threshold != zeroThreshold || zeroCount < widened.count { return true }
            before.widenZeroBucket(to: zeroThreshold)
            before.reduceResolution(to: schema)
        }
        return now.positive.hasFallen(since: before.positive) || now.negative.hasFallen(since: before.negative)
    }

    /// Whether this sample could be appended to the same storage chunk as `previous`, as Prometheus' storage decides it.
    func continues(_ previous: NativeHistogram) -> Bool {
        schema == previous.schema && zeroThreshold == previous.zeroThreshold && customBounds == previous.customBounds
            && count >= previous.count && zeroCount >= previous.zeroCount
            && !positive.hasFallen(since: previous.positive) && !negative.hasFallen(since: previous.negative)
    }

    // MARK: Comparison

    /// Whether both hold the same observations; the reset hint does not count.
    func hasSameObservations(as other: NativeHistogram) -> Bool {
        schema == other.schema && zeroThreshold == other.zeroThreshold && zeroCount == other.zeroCount
            && count == other.count
            && sum == other.sum && customBounds == other.customBounds && positive == other.positive
            && negative == other.negative
    }
}

extension SparseBuckets {
    fileprivate func filtered(_ isKept: (Int32) -> Bool) -> SparseBuckets {
        var result = SparseBuckets()
        for (index, count) in zip(indexes, counts) where isKept(index) { result.append(index, count) }
        return result
    }
}

extension NativeHistogram {
    /// The sum or difference of two histograms, in the coarser of both resolutions.
    package func combined(with other: NativeHistogram, isSum: Bool) throws -> NativeHistogram {
        var result = self
        _ = isSum ? try result.add(other) : try result.subtract(other)
        return result
    }
}
