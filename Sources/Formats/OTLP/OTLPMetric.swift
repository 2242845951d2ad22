import Telemetry

/// `ResourceMetrics` as read.
struct OTLPMetricGroup {
    var resource = Resource.unknown
    var scopes: [Scope] = []

    /// `ScopeMetrics`.
    struct Scope {
        var scope = OTLPScope()
        var schemaURL = ""
        var metrics: [OTLPMetric] = []
    }
}

/// `Metric` as read (metrics.proto).
struct OTLPMetric {
    var name = ""
    var description = ""
    var unit = ""
    var data = Data.none

    enum Data {
        case none
        case gauge([NumberPoint])
        case sum([NumberPoint], Temporality, isMonotonic: Bool)
        case histogram([HistogramPoint], Temporality)
        case exponentialHistogram([ExponentialHistogramPoint], Temporality)
        case summary([SummaryPoint])
    }

    enum Temporality: Int {
        case unspecified = 0
        case delta = 1
        case cumulative = 2
    }

    /// What every kind of point has.
    struct PointHead {
        var attributes: [Attribute] = []
        /// Nanoseconds since the Unix epoch.
        var start: Int64 = 0
        var time: Int64 = 0
        var flags: UInt32 = 0

        /// The flag that says "this series ends here".
        var hasNoRecordedValue: Bool { flags & 1 != 0 }
    }

    struct NumberPoint {
        var head = PointHead()
        var value: Double = 0
        var exemplars: [Exemplar] = []
    }

    struct HistogramPoint {
        var head = PointHead()
        var count: UInt64 = 0
        var sum: Double?
        var bucketCounts: [UInt64] = []
        var bounds: [Double] = []
        var exemplars: [Exemplar] = []
    }

    struct ExponentialHistogramPoint {
        struct Buckets {
            var offset: Int32 = 0
            var counts: [UInt64] = []
        }

        var head = PointHead()
        var count: UInt64 = 0
        var sum: Double?
        var scale: Int32 = 0
        var zeroCount: UInt64 = 0
        var zeroThreshold: Double = 0
        var positive = Buckets()
        var negative = Buckets()
        var exemplars: [Exemplar] = []
    }

    struct SummaryPoint {
        var head = PointHead()
        var count: UInt64 = 0
        var sum: Double = 0
        var quantiles: [(quantile: Double, value: Double)] = []
    }

    struct Exemplar {
        var attributes: [Attribute] = []
        var time: Int64 = 0
        var value: Double = 0
        var traceID = TraceID.none
        var spanID = SpanID.none
    }

    /// How many data points there are, for what is rejected as a whole.
    var pointCount: Int {
        switch data {
        case .none: 0
        case .gauge(let points), .sum(let points, _, _): points.count
        case .histogram(let points, _): points.count
        case .exponentialHistogram(let points, _): points.count
        case .summary(let points): points.count
        }
    }
}
