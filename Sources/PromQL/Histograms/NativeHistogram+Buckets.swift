package import Telemetry
import Foundation

/// A bucket with its bounds.
package struct HistogramBucket: Sendable, Hashable {
    package var lower: Double
    package var upper: Double
    package var includesLower: Bool
    package var includesUpper: Bool
    package var count: Double
}

/// The buckets of one side by index, ascending, without empty ones: what arithmetic works on.
struct SparseBuckets: Sendable, Hashable {
    var indexes: [Int32] = []
    var counts: [Double] = []

    init() {}

    init(_ runs: [NativeHistogram.Run], _ counts: [Double]) {
        var index: Int32 = 0
        var next = 0
        indexes.reserveCapacity(counts.count)
        self.counts.reserveCapacity(counts.count)
        for run in runs {
            index &+= run.offset
            for _ in 0..<run.length {
                guard next < counts.count else { return }
                if counts[next] != 0 {
                    indexes.append(index)
                    self.counts.append(counts[next])
                }
                next += 1
                index &+= 1
            }
        }
    }

    mutating func append(_ index: Int32, _ count: Double) {
        if indexes.last == index {
            counts[counts.count - 1] += count
        } else {
            indexes.append(index)
            counts.append(count)
        }
    }

    /// The same buckets as runs; those that are empty by now are left out.
    var runs: (runs: [NativeHistogram.Run], counts: [Double]) {
        var runs: [NativeHistogram.Run] = []
        var kept: [Double] = []
        var end: Int32 = 0
        for (index, count) in zip(indexes, counts) where count != 0 {
            if !runs.isEmpty, index == end {
                runs[runs.count - 1].length += 1
            } else {
                runs.append(.init(offset: runs.isEmpty ? index : index &- end, length: 1))
            }
            end = index &+ 1
            kept.append(count)
        }
        return (runs, kept)
    }

    /// Each index mapped by `map`, which keeps the order; buckets that fall together are added.
    func mapped(_ map: (Int32) -> Int32) -> SparseBuckets {
        var result = SparseBuckets()
        for (index, count) in zip(indexes, counts) { result.append(map(index), count) }
        return result
    }

    /// Both, with `combine` where a side has a bucket (0 on the side that has none).
    func merged(_ other: SparseBuckets, _ combine: (Double, Double) -> Double) -> SparseBuckets {
        var result = SparseBuckets()
        var (a, b) = (0, 0)
        while a < indexes.count || b < other.indexes.count {
            if b == other.indexes.count || (a < indexes.count && indexes[a] < other.indexes[b]) {
                result.append(indexes[a], combine(counts[a], 0))
                a += 1
            } else if a == indexes.count || other.indexes[b] < indexes[a] {
                result.append(other.indexes[b], combine(0, other.counts[b]))
                b += 1
            } else {
                result.append(indexes[a], combine(counts[a], other.counts[b]))
                a += 1
                b += 1
            }
        }
        return result
    }

    /// Whether some bucket holds less than it held in `previous`.
    func hasFallen(since previous: SparseBuckets) -> Bool {
        var b = 0
        for (index, count) in zip(previous.indexes, previous.counts) {
            while b < indexes.count, indexes[b] < index { b += 1 }
            let now = b < indexes.count && indexes[b] == index ? counts[b] : 0
            if now < count { return true }
        }
        return false
    }
}

extension NativeHistogram {
    var usesCustomBounds: Bool { schema == Self.customBoundsSchema }
    var positive: SparseBuckets { SparseBuckets(positiveRuns, positiveCounts) }
    var negative: SparseBuckets { SparseBuckets(negativeRuns, negativeCounts) }

    mutating func setPositive(_ buckets: SparseBuckets) { (positiveRuns, positiveCounts) = buckets.runs }
    mutating func setNegative(_ buckets: SparseBuckets) { (negativeRuns, negativeCounts) = buckets.runs }

    /// The upper bound of the positive bucket `index` (the lower one of the negative bucket, with a minus).
    func bound(_ index: Int32) -> Double {
        if usesCustomBounds {
            if index < 0 { return -.infinity }
            return Int(index) < customBounds.count ? customBounds[Int(index)] : .infinity
        }
        return Self.exponentialBound(index, schema: schema)
    }

    /// 2^(index · 2^-schema), exact where that is a power of two.
    static func exponentialBound(_ index: Int32, schema: Int32) -> Double {
        if schema <= 0 {
            let exponent = Int(index) << -Int(max(schema, -32))
            if exponent >= 1024 { return exponent == 1024 ? Double.greatestFiniteMagnitude : .infinity }
            return scalbn(1, max(exponent, -1100))
        }
        let size = Int32(1) << min(schema, 30)
        let fraction = index & (size - 1)
        let exponent = Int((index >> schema) + 1)
        if fraction == 0, exponent == 1025 { return Double.greatestFiniteMagnitude }
        return scalbn(0.5 * exp2(Double(fraction) / Double(size)), exponent)
    }

    /// The buckets of a side with bounds, from the one nearest to zero outwards (custom bounds: ascending).
    func bucketList(negative isNegative: Bool) -> [HistogramBucket] {
        let side = isNegative ? negative : positive
        return zip(side.indexes, side.counts).map { index, count in
            let (upper, lower) = (bound(index), bound(index &- 1))
            if isNegative {
                return HistogramBucket(
                    lower: -upper, upper: -lower, includesLower: true, includesUpper: false, count: count)
            }
            // A custom bucket that starts at -Inf holds -Inf too.
            let includesLower = usesCustomBounds && lower == -.infinity
            return HistogramBucket(
                lower: lower, upper: upper, includesLower: includesLower, includesUpper: true, count: count)
        }
    }

    /// The zero bucket; nil where it is empty.
    var zeroBucket: HistogramBucket? {
        guard zeroCount != 0 else { return nil }
        return HistogramBucket(
            lower: -zeroThreshold, upper: zeroThreshold, includesLower: true, includesUpper: true, count: zeroCount)
    }

    /// All buckets that are not empty, ascending.
    package var buckets: [HistogramBucket] {
        var all = Array(bucketList(negative: true).reversed())
        if let zeroBucket { all.append(zeroBucket) }
        return all + bucketList(negative: false)
    }

    /// As Prometheus prints one: `{count:3, sum:4, (1,2]:3}`.
    package var promQLText: String {
        var text = "{count:\(PromQLNumber.formatGeneral(count)), sum:\(PromQLNumber.formatGeneral(sum))"
        for bucket in buckets {
            text += ", \(bucket.includesLower ? "[" : "(")\(PromQLNumber.formatGeneral(bucket.lower)),"
            text +=
                "\(PromQLNumber.formatGeneral(bucket.upper))\(bucket.includesUpper ? "]" : ")"):\(PromQLNumber.formatGeneral(bucket.count))"
        }
        return text + "}"
    }
}
