extension OTLPMetric.ExponentialHistogramPoint {
    /// Buckets of a sign in a total: an SDK holds 160, and a total may reach further than each of its parts.
    private static let bucketCountMax: Int64 = 1 << 10

    /// Adds the observations of another one. Both are brought to the coarser scale, and coarser still where the buckets would be too many.
    mutating func add(_ other: Self) {
        var other = other
        let common = min(scale, other.scale)
        coarsen(by: Int64(scale) - Int64(common))
        other.coarsen(by: Int64(other.scale) - Int64(common))
        while max(positive.spread(with: other.positive), negative.spread(with: other.negative)) > Self.bucketCountMax {
            coarsen(by: 1)
            other.coarsen(by: 1)
        }
        positive.add(other.positive)
        negative.add(other.negative)
        count &+= other.count
        zeroCount &+= other.zeroCount
        zeroThreshold = max(zeroThreshold, other.zeroThreshold)
        sum = sum.flatMap { sum in other.sum.map { sum + $0 } }
    }

    private mutating func coarsen(by shift: Int64) {
        guard shift > 0 else { return }
        scale = Int32(clamping: Int64(scale) - shift)
        positive.coarsen(by: shift)
        negative.coarsen(by: shift)
    }
}

extension OTLPMetric.ExponentialHistogramPoint.Buckets {
    /// The first index and the one behind the last.
    private var range: Range<Int64> { Int64(offset)..<Int64(offset) + Int64(counts.count) }

    /// How many buckets both together have.
    fileprivate func spread(with other: Self) -> Int64 {
        if counts.isEmpty { return Int64(other.counts.count) }
        if other.counts.isEmpty { return Int64(counts.count) }
        return max(range.upperBound, other.range.upperBound) - min(range.lowerBound, other.range.lowerBound)
    }

    /// 2^shift buckets become one.
    fileprivate mutating func coarsen(by shift: Int64) {
        guard let last = range.last else { return }
        let first = range.lowerBound >> shift
        var merged = [UInt64](repeating: 0, count: Int((last >> shift) - first + 1))
        for (position, count) in counts.enumerated() { merged[Int((range.lowerBound + Int64(position)) >> shift - first)] &+= count }
        offset = Int32(clamping: first)
        counts = merged
    }

    fileprivate mutating func add(_ other: Self) {
        if other.counts.isEmpty { return }
        if counts.isEmpty {
            self = other
            return
        }
        let first = min(range.lowerBound, other.range.lowerBound)
        var sums = [UInt64](repeating: 0, count: Int(max(range.upperBound, other.range.upperBound) - first))
        for buckets in [self, other] {
            for (position, count) in buckets.counts.enumerated() { sums[Int(buckets.range.lowerBound - first) + position] &+= count }
        }
        offset = Int32(clamping: first)
        counts = sums
    }
}
