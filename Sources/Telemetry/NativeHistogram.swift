/// A histogram whose buckets are its own (Prometheus, "Native Histograms"): exponential ones, or custom bounds (schema -53).
/// Counts are floating point; integer histograms of the wire are converted exactly up to 2^53.
package struct NativeHistogram: Sendable, Hashable {
    /// What is known about a counter reset before this sample.
    package enum ResetHint: UInt8, Sendable, Hashable {
        case unknown = 0
        case reset = 1
        case notReset = 2
        case gauge = 3
    }

    /// A run of consecutive buckets. The first span's `offset` is the index of its first bucket; every other one's is the gap
    /// to the span before it.
    package struct Run: Sendable, Hashable {
        package var offset: Int32
        package var length: UInt32

        package init(offset: Int32, length: UInt32) {
            self.offset = offset
            self.length = length
        }
    }

    /// The schema of custom bounds.
    package static let customBoundsSchema: Int32 = -53

    /// -4…8: bucket i covers (2^((i-1)·2^-schema), 2^(i·2^-schema)]; -53: ``customBounds``.
    package var schema: Int32
    package var zeroThreshold: Double
    package var zeroCount: Double
    package var count: Double
    package var sum: Double
    package var positiveRuns: [Run]
    /// The count of each bucket of ``positiveRuns``, one after the other; absolute, not deltas.
    package var positiveCounts: [Double]
    package var negativeRuns: [Run]
    package var negativeCounts: [Double]
    /// Upper bounds for schema -53, ascending, without +Inf.
    package var customBounds: [Double]
    package var resetHint: ResetHint

    package init(
        schema: Int32 = 0, zeroThreshold: Double = 0, zeroCount: Double = 0, count: Double = 0, sum: Double = 0,
        positiveRuns: [Run] = [], positiveCounts: [Double] = [], negativeRuns: [Run] = [], negativeCounts: [Double] = [],
        customBounds: [Double] = [], resetHint: ResetHint = .unknown
    ) {
        self.schema = schema
        self.zeroThreshold = zeroThreshold
        self.zeroCount = zeroCount
        self.count = count
        self.sum = sum
        self.positiveRuns = positiveRuns
        self.positiveCounts = positiveCounts
        self.negativeRuns = negativeRuns
        self.negativeCounts = negativeCounts
        self.customBounds = customBounds
        self.resetHint = resetHint
    }

    /// Whether it is a staleness marker: its sum is the marker.
    package var isStale: Bool { Staleness.isMarker(sum) }
}
