package import Telemetry

/// What the samples of one name have in common. Families are compared by identity: each is made once and kept.
package final class MetricFamily: Sendable {
    package let name: String
    /// What `# TYPE` and `# HELP` say; nil where the metadata goes by another name (the buckets of a histogram).
    package let metadata: MetricMetadata?
    /// The names of the labels whose values come with each sample, in that order.
    package let labelNames: [String]

    package init(_ name: String, _ kind: MetricMetadata.Kind, _ help: String, _ labelNames: [String] = []) {
        self.name = name
        self.labelNames = labelNames
        metadata = MetricMetadata(family: name, kind: kind, help: help)
    }

    /// A family without metadata of its own.
    init(bare name: String, _ labelNames: [String]) {
        self.name = name
        self.labelNames = labelNames
        metadata = nil
    }
}
