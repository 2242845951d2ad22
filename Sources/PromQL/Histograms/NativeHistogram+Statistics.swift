import Foundation
import Telemetry

extension NativeHistogram {
    /// The estimated variance: each bucket's observations stand at its middle (the geometric one for exponential buckets).
    var variance: Double {
        let mean = sum / count
        var total = CompensatedSum()
        for bucket in buckets where bucket.count != 0 {
            let value: Double
            if usesCustomBounds {
                value = (bucket.upper + bucket.lower) / 2
            } else if bucket.lower <= 0 && bucket.upper >= 0 {
                value = 0
            } else {
                let middle = (bucket.upper * bucket.lower).squareRoot()
                value = bucket.upper < 0 ? -middle : middle
            }
            let delta = value - mean
            total.add(bucket.count * delta * delta)
        }
        return total.value / count
    }

    /// What a quantile tells beside its value.
    enum NaNEffect: Sendable {
        case none
        /// Observations of NaN reach the quantile itself.
        case result
        /// Observations of NaN count as the largest, so the quantile is too high.
        case skewed
    }

    /// The estimated φ-quantile (Prometheus, `HistogramQuantile`).
    func quantile(_ quantile: Double) -> (value: Double, effect: NaNEffect) {
        if quantile < 0 { return (-.infinity, .none) }
        if quantile > 1 { return (.infinity, .none) }
        if count == 0 || quantile.isNaN { return (.nan, .none) }
        // NaN observations are in the count but in no bucket: then only counting from below works.
        let isForward = sum.isNaN || quantile < 0.5
        let rank = (isForward ? quantile : 1 - quantile) * count
        let ordered = isForward ? buckets : buckets.reversed()
        var reached = 0.0
        var found: HistogramBucket?
        for bucket in ordered where bucket.count != 0 {
            found = bucket
            reached += bucket.count
            if reached >= rank { break }
        }
        guard var bucket = found else { return (.nan, sum.isNaN ? .result : .none) }
        if !usesCustomBounds, bucket.lower < 0, bucket.upper > 0 {
            // Only one side has buckets: zero is the bound on the other.
            if negativeCounts.isEmpty, !positiveCounts.isEmpty { bucket.lower = 0 }
            if positiveCounts.isEmpty, !negativeCounts.isEmpty { bucket.upper = 0 }
        } else if usesCustomBounds {
            if bucket.lower == -.infinity {
                if bucket.upper <= 0 { return (bucket.upper, .none) }
                bucket.lower = 0
            } else if bucket.upper == .infinity {
                return (bucket.lower, .none)
            }
        }
        reached = min(reached, count)
        if reached < rank {
            return sum.isNaN ? (.nan, .result) : (bucket.upper, .none)
        }
        let inside = isForward ? rank - (reached - bucket.count) : reached - rank
        let value = interpolate(bucket, inside / bucket.count)
        return (value, sum.isNaN ? .skewed : .none)
    }

    /// The value at a fraction of the way through a bucket: on a line, or on a logarithmic scale for exponential buckets.
    private func interpolate(_ bucket: HistogramBucket, _ fraction: Double) -> Double {
        if usesCustomBounds || (bucket.lower <= 0 && bucket.upper >= 0) {
            return bucket.lower + (bucket.upper - bucket.lower) * fraction
        }
        let (lower, upper) = (log2(bucket.lower.magnitude), log2(bucket.upper.magnitude))
        if bucket.lower > 0 { return exp2(lower + (upper - lower) * fraction) }
        return -exp2(upper + (lower - upper) * (1 - fraction))
    }

    /// How much of a bucket's observations lie below `value`, which lies within it.
    private func share(_ bucket: HistogramBucket, below value: Double) -> Double {
        if usesCustomBounds || (bucket.lower <= 0 && bucket.upper >= 0) {
            if bucket.upper == .infinity { return 0 }
            if bucket.lower == -.infinity { return 1 }
            return (value - bucket.lower) / (bucket.upper - bucket.lower)
        }
        let (lower, upper, middle) = (log2(bucket.lower.magnitude), log2(bucket.upper.magnitude), log2(value.magnitude))
        return value > 0 ? (middle - lower) / (upper - lower) : 1 - (middle - upper) / (lower - upper)
    }

    /// The zero bucket reaches only to zero on a side that has no buckets; a custom bucket from -Inf starts at zero.
    private func adjusted(_ bucket: HistogramBucket) -> HistogramBucket {
        var bucket = bucket
        if usesCustomBounds {
            if bucket.lower == -.infinity, bucket.upper > 0 { bucket.lower = 0 }
        } else if bucket.lower <= 0 && bucket.upper >= 0 {
            if negativeCounts.isEmpty, !positiveCounts.isEmpty { bucket.lower = 0 }
            if positiveCounts.isEmpty, !negativeCounts.isEmpty { bucket.upper = 0 }
        }
        return bucket
    }

    /// The estimated fraction of observations within [lower, upper] (Prometheus, `HistogramFraction`).
    func fraction(from lower: Double, to upper: Double) -> Double {
        if count == 0 || lower.isNaN || upper.isNaN { return .nan }
        if lower >= upper { return 0 }
        let all = buckets
        let total = bucketedCount
        let range = rank(below: upper, all, total) - rank(below: lower, all, total)
        return range / count
    }

    /// Observations that lie in buckets: NaNs, which make the sum NaN, are in the count alone.
    var bucketedCount: Double { sum.isNaN ? buckets.reduce(0) { $0 + $1.count } : count }

    private func rank(below value: Double, _ all: [HistogramBucket], _ total: Double) -> Double {
        var rank = 0.0
        for plain in all {
            let bucket = adjusted(plain)
            if bucket.lower >= value { return min(rank, total) }
            if bucket.upper > value { return min(rank + bucket.count * share(bucket, below: value), total) }
            rank += bucket.count
        }
        return total
    }

    /// Only the observations up to `limit` (or from it on): the operators `</` and `>/`.
    func trimmed(to limit: Double, keepsLower: Bool) -> NativeHistogram {
        var result = self
        func part(_ bucket: HistogramBucket) -> Double {
            // Where a bucket without an end is cut, nobody knows how much lies on which side: all of it goes, but for the
            // side that has no end.
            if bucket.lower == -.infinity, limit > -.infinity, bucket.upper > limit {
                if bucket.upper == .infinity { return 0 }
                if limit < 0 { return keepsLower && bucket.upper <= 0 ? bucket.count : 0 }
            }
            let bucket = adjusted(bucket)
            let below = bucket.upper <= limit ? 1 : bucket.lower >= limit ? 0 : share(bucket, below: limit)
            return bucket.count * (keepsLower ? below : 1 - below)
        }
        var middleSum = 0.0
        var hasChanged = false
        func add(_ bucket: HistogramBucket, _ count: Double) {
            hasChanged = hasChanged || count != bucket.count
            guard count != 0 else { return }
            let bucket = adjusted(bucket)
            var (low, high) = (bucket.lower, bucket.upper)
            if keepsLower { high = min(high, limit) } else { low = max(low, limit) }
            if low == -.infinity { low = high }
            if high == .infinity { high = low }
            let isLinear = usesCustomBounds || (bucket.lower <= 0 && bucket.upper >= 0)
            let middle = isLinear ? (low + high) / 2 : (low * high).squareRoot() * (high < 0 ? -1 : 1)
            middleSum += count * middle
        }
        func side(isNegative: Bool) -> SparseBuckets {
            var side = isNegative ? negative : positive
            for (index, bucket) in bucketList(negative: isNegative).enumerated() {
                side.counts[index] = part(bucket)
                add(bucket, side.counts[index])
            }
            return side
        }
        let (newPositive, newNegative) = (side(isNegative: false), side(isNegative: true))
        if let zeroBucket {
            result.zeroCount = part(zeroBucket)
            add(zeroBucket, result.zeroCount)
        }
        result.setPositive(newPositive)
        result.setNegative(newNegative)
        result.count = result.zeroCount + newPositive.counts.reduce(0, +) + newNegative.counts.reduce(0, +)
        if hasChanged { result.sum = middleSum } else { result.count = count }
        result.resetHint = .gauge
        return result
    }
}
