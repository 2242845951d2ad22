import Telemetry

/// The buckets of a classic histogram on their way to a native one with custom bounds (Prometheus, util/convertnhcb).
struct ClassicBuckets {
    private var bounds: [Double] = []
    /// Cumulative, by bound.
    private var counts: [Double] = []
    private var count: Double?
    private var sum = 0.0
    /// No histogram in use has as many; inserting more in any order would take quadratic time.
    private static let bucketCountMax = 10_000
    /// Why they make no histogram; nil while they may.
    private(set) var flaw: String?

    /// Adds a bucket: `count` observations up to `bound`. Buckets may come in any order; of one that comes twice the first counts.
    mutating func add(bound: Double, count: Double) {
        guard flaw == nil else { return }
        if bound.isNaN { flaw = "bucket boundary must not be NaN" }
        if count < 0 { flaw = "bucket count must be non-negative: le=\(bound), count=\(count)" }
        if bounds.count >= Self.bucketCountMax { flaw = "there are more than \(Self.bucketCountMax) buckets" }
        guard flaw == nil else { return }
        var place = bounds.count
        while place > 0, bounds[place - 1] >= bound { place -= 1 }
        if place < bounds.count, bounds[place] == bound { return }
        if place > 0, count < counts[place - 1] { flaw = "count is not cumulative: \(count) < \(counts[place - 1])" }
        if place < bounds.count, count > counts[place] { flaw = "count is not cumulative: \(count) > \(counts[place])" }
        bounds.insert(bound, at: place)
        counts.insert(count, at: place)
    }

    mutating func set(count: Double) {
        if count < 0, flaw == nil { flaw = "count must be non-negative: count=\(count)" }
        self.count = count
    }

    mutating func set(sum: Double) {
        self.sum = sum
    }

    /// The histogram; nil where the counts contradict each other, which ``flaw`` then says.
    mutating func histogram() -> NativeHistogram? {
        guard flaw == nil else { return nil }
        let total = count ?? counts.last ?? 0
        if bounds.last != .infinity {
            bounds.append(.infinity)
            counts.append(total)
        }
        guard counts.last == total else {
            flaw = "count mismatch: count=\(total) != le=+Inf count=\(counts.last ?? 0)"
            return nil
        }
        var histogram = NativeHistogram(schema: NativeHistogram.customBoundsSchema, count: total, sum: sum)
        histogram.customBounds = bounds.dropLast()
        histogram.positiveRuns = [.init(offset: 0, length: UInt32(truncatingIfNeeded: bounds.count))]
        var before = 0.0
        histogram.positiveCounts = counts.map { count in
            defer { before = count }
            return count - before
        }
        histogram.compact()
        if let flaw = histogram.flaw {
            self.flaw = flaw
            return nil
        }
        return histogram
    }
}
