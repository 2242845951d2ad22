import Telemetry

extension NativeHistogram {
    /// The highest schema of native histograms; finer OTLP ones lose resolution.
    private static let schemaMax: Int32 = 8
    /// The zero bucket's width where the sender names none, as in Prometheus.
    private static let zeroThresholdDefault = 1e-128
    /// So many empty buckets between two others cost less than a run of their own.
    private static let gapMax: Int64 = 2

    /// An OTLP exponential histogram of scale ≥ -4.
    ///
    /// - Parameter isDelta: it counts what came since the one before, and is kept so.
    init(_ point: OTLPMetric.ExponentialHistogramPoint, isDelta: Bool = false) {
        let shift = max(0, Int64(point.scale) - Int64(Self.schemaMax))
        let isStale = point.head.hasNoRecordedValue
        let (positiveRuns, positiveCounts) = Self.layout(point.positive, shift: shift, adjustment: 1)
        let (negativeRuns, negativeCounts) = Self.layout(point.negative, shift: shift, adjustment: 1)
        self.init(
            schema: min(point.scale, Self.schemaMax),
            zeroThreshold: point.zeroThreshold > 0 ? point.zeroThreshold : Self.zeroThresholdDefault,
            zeroCount: Double(point.zeroCount),
            count: isStale ? Staleness.marker : Double(point.count),
            sum: isStale ? Staleness.marker : point.sum ?? 0,
            positiveRuns: positiveRuns, positiveCounts: positiveCounts,
            negativeRuns: negativeRuns, negativeCounts: negativeCounts, resetHint: isDelta ? .gauge : .unknown)
    }

    /// An OTLP histogram with explicit bounds as one of custom buckets: nil where its bounds do not ascend or its buckets are not one more.
    init?(_ point: OTLPMetric.HistogramPoint, isDelta: Bool) {
        guard point.bounds.allSatisfy({ !$0.isNaN }), zip(point.bounds, point.bounds.dropFirst()).allSatisfy({ $0 < $1 }) else { return nil }
        // A point may leave out its buckets: then there is one of everything.
        let isPlain = point.bucketCounts.isEmpty
        guard isPlain || point.bucketCounts.count == point.bounds.count + 1 else { return nil }
        let buckets = OTLPMetric.ExponentialHistogramPoint.Buckets(offset: 0, counts: isPlain ? [point.count] : point.bucketCounts)
        let (runs, counts) = Self.layout(buckets, shift: 0, adjustment: 0)
        let isStale = point.head.hasNoRecordedValue
        self.init(
            schema: Self.customBoundsSchema, count: isStale ? Staleness.marker : Double(point.count),
            sum: isStale ? Staleness.marker : point.sum ?? 0, positiveRuns: runs, positiveCounts: counts,
            customBounds: isPlain ? [] : point.bounds, resetHint: isDelta ? .gauge : .unknown)
    }

    /// Buckets as runs, empty ones left out where there are many.
    ///
    /// - Parameters:
    ///   - shift: a scale that is so much finer has 2^shift buckets for one.
    ///   - adjustment: 1 for exponential buckets: OTLP's bucket i covers (base^i, base^(i+1)], Prometheus' (base^(i-1), base^i].
    private static func layout(
        _ buckets: OTLPMetric.ExponentialHistogramPoint.Buckets, shift: Int64, adjustment: Int64
    ) -> ([Run], [Double]) {
        var merged: [(index: Int64, count: Double)] = []
        for (position, count) in buckets.counts.enumerated() where count > 0 {
            let index = (Int64(buckets.offset) + Int64(position)) >> shift + adjustment
            if merged.last?.index == index {
                merged[merged.count - 1].count += Double(count)
            } else {
                merged.append((index, Double(count)))
            }
        }
        var runs: [Run] = []
        var counts: [Double] = []
        var next = Int64(0)
        for (index, count) in merged {
            let gap = index - next
            if runs.isEmpty || gap > gapMax {
                runs.append(Run(offset: Int32(clamping: gap), length: 0))
            } else {
                counts.append(contentsOf: repeatElement(0, count: Int(gap)))
                runs[runs.count - 1].length += UInt32(gap)
            }
            counts.append(count)
            runs[runs.count - 1].length += 1
            next = index + 1
        }
        return (runs, counts)
    }
}
