import Telemetry

/// The cumulative buckets of a classic histogram at one step.
struct ClassicHistogram: Sendable {
    struct Bucket: Sendable {
        var upperBound: Double
        /// Observations up to the bound.
        var count: Double
    }

    /// Ascending by bound, each bound once.
    private(set) var buckets: [Bucket] = []
    /// A count was less than the one before it, by more than rounding explains.
    private(set) var wasForcedMonotonic = false

    init(_ unsorted: [Bucket]) {
        for bucket in unsorted.sorted(by: { $0.upperBound < $1.upperBound }) {
            if buckets.last?.upperBound == bucket.upperBound {
                buckets[buckets.count - 1].count += bucket.count
            } else {
                buckets.append(bucket)
            }
        }
    }

    private var hasAll: Bool { buckets.last?.upperBound == .infinity }

    /// The estimated φ-quantile (Prometheus, `BucketQuantile`).
    mutating func quantile(_ quantile: Double) -> Double {
        if quantile.isNaN { return .nan }
        if quantile < 0 { return -.infinity }
        if quantile > 1 { return .infinity }
        guard hasAll else { return .nan }
        makeMonotonic()
        guard buckets.count >= 2, let observations = buckets.last?.count, observations != 0, !observations.isNaN else {
            return .nan
        }
        var rank = quantile * observations
        let last = buckets.count - 1
        let index = buckets[..<last].firstIndex { $0.count >= rank } ?? last
        if index == last { return buckets[last - 1].upperBound }
        if index == 0, buckets[0].upperBound <= 0 { return buckets[0].upperBound }
        var (start, count) = (0.0, buckets[index].count)
        if index > 0 {
            start = buckets[index - 1].upperBound
            count -= buckets[index - 1].count
            rank -= buckets[index - 1].count
        }
        return start + (buckets[index].upperBound - start) * (rank / count)
    }

    /// The estimated fraction of observations within [lower, upper] (Prometheus, `BucketFraction`).
    func fraction(from lower: Double, to upper: Double) -> Double {
        guard hasAll, let total = buckets.last?.count, total != 0, !lower.isNaN, !upper.isNaN else { return .nan }
        if lower >= upper { return 0 }
        return (rank(below: upper, total) - rank(below: lower, total)) / total
    }

    private func rank(below value: Double, _ total: Double) -> Double {
        var rank = 0.0
        var lowerBound = -Double.infinity
        for bucket in buckets {
            // The lowest bucket is taken to start at zero, where its bound is positive.
            if lowerBound == -.infinity, bucket.upperBound > 0 { lowerBound = 0 }
            if lowerBound >= value { return min(rank, total) }
            if bucket.upperBound > value {
                let inside =
                    bucket.upperBound == .infinity ? 0 : (value - lowerBound) / (bucket.upperBound - lowerBound)
                return min(rank + (bucket.count - rank) * (lowerBound == -.infinity ? 1 : inside), total)
            }
            rank = bucket.count
            lowerBound = bucket.upperBound
        }
        return total
    }

    /// Takes away what rounding did, and larger decreases too, which it remembers.
    private mutating func makeMonotonic() {
        guard var previous = buckets.first?.count else { return }
        for index in 1..<max(buckets.count, 1) {
            let count = buckets[index].count
            if count == previous { continue }
            if Self.isAlmostEqual(previous, count) {
                buckets[index].count = previous
            } else if count < previous {
                buckets[index].count = previous
                wasForcedMonotonic = true
            } else {
                previous = count
            }
        }
    }

    /// Relative tolerance of Prometheus' `smallDeltaTolerance`.
    private static func isAlmostEqual(_ a: Double, _ b: Double) -> Bool {
        let sum = a.magnitude + b.magnitude
        let difference = (a - b).magnitude
        if a == 0 || b == 0 || sum < .leastNormalMagnitude { return difference < 1e-12 * .leastNormalMagnitude }
        return difference / min(sum, .greatestFiniteMagnitude) < 1e-12
    }
}
