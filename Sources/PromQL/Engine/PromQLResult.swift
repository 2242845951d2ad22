package import Telemetry

/// What a query gave: a value and what Prometheus' API reports beside it.
package struct PromQLResult: Sendable {
    package var value: PromQLValue
    /// With their place in the query, as users see them.
    package var warnings: [String]
    package var infos: [String]

    package init(value: PromQLValue, warnings: [String] = [], infos: [String] = []) {
        self.value = value
        self.warnings = warnings
        self.infos = infos
    }
}

/// A value of one of PromQL's types. Timestamps are milliseconds since the Unix epoch.
package enum PromQLValue: Sendable {
    case scalar(timestamp: Int64, value: Double)
    case string(timestamp: Int64, value: String)
    case vector([VectorSample])
    case matrix([SeriesPoints])
}

/// A float or a native histogram.
package enum PromQLSampleValue: Sendable, Hashable {
    case float(Double)
    case histogram(NativeHistogram)
}

/// One series' value at one instant.
package struct VectorSample: Sendable {
    package var labels: Labels
    package var timestamp: Int64
    package var value: PromQLSampleValue

    package init(labels: Labels, timestamp: Int64, value: PromQLSampleValue) {
        self.labels = labels
        self.timestamp = timestamp
        self.value = value
    }
}

/// One series' values over time; floats and histograms apart, each in the order of time.
package struct SeriesPoints: Sendable {
    package var labels: Labels
    package var timestamps: [Int64]
    package var values: [Double]
    package var histogramTimestamps: [Int64]
    package var histograms: [NativeHistogram]

    package init(
        labels: Labels, timestamps: [Int64], values: [Double], histogramTimestamps: [Int64] = [],
        histograms: [NativeHistogram] = []
    ) {
        self.labels = labels
        self.timestamps = timestamps
        self.values = values
        self.histogramTimestamps = histogramTimestamps
        self.histograms = histograms
    }
}
