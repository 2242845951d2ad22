import Telemetry

/// Labels that many families of one round share: those of one container. Owners are compared by identity, so one whose labels have
/// changed is another, and the series of the old one end.
final class MetricOwner: Sendable {
    let labels: [Label]

    init(_ labels: [Label]) {
        self.labels = labels
    }
}
