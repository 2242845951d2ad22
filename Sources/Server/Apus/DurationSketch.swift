import Glibc

/// Quantiles of durations in bounded memory: counts in buckets whose bounds grow by 2^(1/16), so that a quantile is within 4.4 %.
struct DurationSketch: Sendable {
    private static let bucketsPerDoubling = 16.0
    /// 2^62 ns are 146 years.
    private static let bucketCount = 62 * 16 + 1

    private var counts: [UInt32] = []
    private(set) var count = 0

    /// Adds a duration in nanoseconds ≥ 0.
    mutating func add(_ nanoseconds: Int64) {
        if counts.isEmpty { counts = [UInt32](repeating: 0, count: Self.bucketCount) }
        let position = nanoseconds <= 1 ? 0 : Int(log2(Double(nanoseconds)) * Self.bucketsPerDoubling)
        counts[min(position, Self.bucketCount - 1)] &+= 1
        count += 1
    }

    /// The quantile in seconds; nil where nothing was added.
    func quantile(_ quantile: Double) -> Double? {
        guard count > 0 else { return nil }
        let rank = quantile * Double(count)
        var total = 0.0
        for (position, bucket) in counts.enumerated() where bucket > 0 {
            let before = total
            total += Double(bucket)
            guard total >= rank else { continue }
            // Evenly spread within the bucket, on its logarithmic scale.
            let fraction = max(0, rank - before) / Double(bucket)
            return exp2((Double(position) + fraction) / Self.bucketsPerDoubling) * 1e-9
        }
        return nil
    }
}
