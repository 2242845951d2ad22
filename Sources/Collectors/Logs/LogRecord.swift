package import Telemetry

/// A log line on its way from a source through the stages of a pipeline to where it is stored.
package struct LogRecord: Sendable, Hashable {
    /// The labels of its stream. Those that begin with `__` serve the stages and are gone behind the pipeline.
    package var labels: Labels
    /// Nanoseconds since the Unix epoch: when the source read it, until a stage knows better.
    package var timestamp: Int64
    /// The line without its newline.
    package var line: String
    /// Structured metadata.
    package var metadata: Labels
    /// For whom it is (`X-Scope-OrgID`); empty: the client's own tenant.
    package var tenant: String

    package init(labels: Labels, timestamp: Int64, line: String, metadata: Labels = .empty, tenant: String = "") {
        self.labels = labels
        self.timestamp = timestamp
        self.line = line
        self.metadata = metadata
        self.tenant = tenant
    }

    /// The label by which relabelling or a stage says for whom a line is (Promtail, `ReservedLabelTenantID`).
    package static let tenantLabel = "__tenant_id__"

    /// Takes the labels that begin with `__` away; the tenant among them stays as ``tenant``.
    package mutating func dropInternalLabels() {
        guard labels.pairs.contains(where: { $0.name.utf8.starts(with: "__".utf8) }) else { return }
        if let value = labels[Self.tenantLabel] { tenant = value }
        labels = Labels(sorted: labels.pairs.filter { !$0.name.utf8.starts(with: "__".utf8) })
    }
}
