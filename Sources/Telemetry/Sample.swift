/// One value of a series at one instant.
package struct Sample: Sendable, Hashable {
    /// Milliseconds since the Unix epoch.
    package var timestamp: Int64
    package var value: Double

    package init(timestamp: Int64, value: Double) {
        self.timestamp = timestamp
        self.value = value
    }
}

/// The staleness marker: the NaN that says "this series ends here" (Prometheus, model/value).
package enum Staleness {
    package static let bits: UInt64 = 0x7ff0_0000_0000_0002
    package static let marker = Double(bitPattern: bits)

    /// Whether `value` is the marker; any other NaN is an ordinary value.
    package static func isMarker(_ value: Double) -> Bool { value.bitPattern == bits }
}

/// A sample that points at a trace (OpenMetrics 1.0, "Exemplars").
package struct Exemplar: Sendable, Hashable {
    /// `trace_id`, `span_id` and whatever else the client put beside the value.
    package var labels: Labels
    package var value: Double
    /// Milliseconds since the Unix epoch.
    package var timestamp: Int64

    package init(labels: Labels, value: Double, timestamp: Int64) {
        self.labels = labels
        self.value = value
        self.timestamp = timestamp
    }
}

/// What is known of a metric family beside its samples.
package struct MetricMetadata: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case counter, gauge, histogram, summary, info, stateset, unknown
        case gaugeHistogram = "gaugehistogram"
    }

    /// The family's name, as in `# TYPE`.
    package var family: String
    package var kind: Kind
    package var help: String
    package var unit: String

    package init(family: String, kind: Kind, help: String = "", unit: String = "") {
        self.family = family
        self.kind = kind
        self.help = help
        self.unit = unit
    }
}
