package import Telemetry

/// What a scrape's answer holds.
package struct ExpositionResult: Sendable {
    /// One sample, in the order of the text.
    package struct Series: Sendable, Hashable {
        /// The labels, the metric's name among them.
        package var labels: Labels
        package var value: Double
        /// Milliseconds since the Unix epoch: the sample's own where it has one and they are honoured, else the scrape's.
        package var timestamp: Int64
        /// Whether ``timestamp`` came with the sample: such series get no staleness markers.
        package var hasOwnTimestamp: Bool
        package var exemplar: Exemplar?

        package init(
            labels: Labels, value: Double, timestamp: Int64, hasOwnTimestamp: Bool = false, exemplar: Exemplar? = nil
        ) {
            self.labels = labels
            self.value = value
            self.timestamp = timestamp
            self.hasOwnTimestamp = hasOwnTimestamp
            self.exemplar = exemplar
        }
    }

    package var series: [Series] = []
    /// What `# TYPE`, `# HELP` and `# UNIT` say, by family, in the order of the text.
    package var metadata: [MetricMetadata] = []

    package init() {}
}
