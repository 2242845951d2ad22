import Glibc
import Telemetry

/// A bucket of a native histogram with its bounds, as Prometheus' JSON lists them.
struct HistogramBuckets {
    /// Which ends belong to a bucket (Prometheus, HTTP API, "Native histograms").
    enum Boundaries: Int {
        /// (lower, upper]: positive buckets.
        case upperInclusive = 0
        /// [lower, upper): negative buckets.
        case lowerInclusive = 1
        /// [lower, upper]: the zero bucket.
        case bothInclusive = 3
    }

    var boundaries: Boundaries
    var lower: Double
    var upper: Double
    var count: Double

    /// The buckets that hold something, from the most negative upwards.
    static func nonEmpty(_ histogram: NativeHistogram) -> [HistogramBuckets] {
        var buckets: [HistogramBuckets] = []
        for (index, count) in positions(histogram.negativeRuns, histogram.negativeCounts).reversed() where count != 0 {
            let bound = upperBound(index, histogram)
            let inner = upperBound(index - 1, histogram)
            buckets.append(HistogramBuckets(boundaries: .lowerInclusive, lower: -bound, upper: -inner, count: count))
        }
        if histogram.zeroCount != 0 {
            let threshold = histogram.zeroThreshold
            // Beside positive buckets alone the zero bucket begins at zero, beside negative ones alone it ends there.
            let lower = histogram.negativeRuns.isEmpty && !histogram.positiveRuns.isEmpty ? 0 : -threshold
            let upper = histogram.positiveRuns.isEmpty && !histogram.negativeRuns.isEmpty ? 0 : threshold
            buckets.append(HistogramBuckets(boundaries: .bothInclusive, lower: lower, upper: upper, count: histogram.zeroCount))
        }
        for (index, count) in positions(histogram.positiveRuns, histogram.positiveCounts) where count != 0 {
            let lower = upperBound(index - 1, histogram)
            buckets.append(
                HistogramBuckets(boundaries: .upperInclusive, lower: lower, upper: upperBound(index, histogram), count: count))
        }
        return buckets
    }

    private static func positions(_ runs: [NativeHistogram.Run], _ counts: [Double]) -> [(index: Int, count: Double)] {
        var positions: [(index: Int, count: Double)] = []
        var index = 0
        for run in runs {
            index += Int(run.offset)
            for _ in 0..<run.length {
                guard positions.count < counts.count else { return positions }
                positions.append((index, counts[positions.count]))
                index += 1
            }
        }
        return positions
    }

    /// The upper bound of bucket `index`: 2^(index · 2^-schema), or the custom one.
    private static func upperBound(_ index: Int, _ histogram: NativeHistogram) -> Double {
        if histogram.schema == NativeHistogram.customBoundsSchema {
            if index < 0 { return -.infinity }
            return index < histogram.customBounds.count ? histogram.customBounds[index] : .infinity
        }
        return exp2(Double(index) * exp2(-Double(histogram.schema)))
    }
}
