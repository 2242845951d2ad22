import Telemetry

extension NativeHistogram {
    /// The highest schema of native histograms; finer OTLP ones lose resolution.
    private static let schemaMax: Int32 = 8
    /// The zero bucket's width where the sender names none, as in Prometheus.
    private static let zeroThresholdDefault = 1e-128
    /// So many empty buckets between two others cost less than a run of their own.
    private static let gapMax: Int64 = 2

    /// An OTLP exponential histogram of scale ≥ -4.
    init(_ point: OTLPMetric.ExponentialHistogramPoint) {
        let shift = max(0, Int64(point.scale) - Int64(Self.schemaMax))
        let isStale = point.head.hasNoRecordedValue
        let (positiveRuns, positiveCounts) = Self.layout(point.positive, shift: shift)
        let (negativeRuns, negativeCounts) = Self.layout(point.negative, shift: shift)
        self.init(
            schema: min(point.scale, Self.schemaMax),
            zeroThreshold: point.zeroThreshold > 0 ? point.zeroThreshold : Self.zeroThresholdDefault,
            zeroCount: Double(point.zeroCount),
            count: isStale ? Staleness.marker : Double(point.count),
            sum: isStale ? Staleness.marker : point.sum ?? 0,
            positiveRuns: positiveRuns, positiveCounts: positiveCounts,
            negativeRuns: negativeRuns, negativeCounts: negativeCounts)
    }

    /// Buckets as runs, empty ones left out where there are many.
    ///
    /// OTLP's bucket i covers (base^i, base^(i+1)], Prometheus' bucket i covers (base^(i-1), base^i]: hence the + 1. A scale that
    /// is `shift` finer has 2^shift buckets for one.
    private static func layout(
        _ buckets: OTLPMetric.ExponentialHistogramPoint.Buckets, shift: Int64
    ) -> ([Run], [Double]) {
        var merged: [(index: Int64, count: Double)] = []
        for (position, count) in buckets.counts.enumerated() where count > 0 {
            let index = (Int64(buckets.offset) + Int64(position)) >> shift + 1
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
