import Settings
import Telemetry

/// The alerts that share a message, and when the next one is due. Values in, actions out (Alertmanager, dispatch and notify).
struct NotificationGroup: Sendable {
    /// The labels that all of them share because they are grouped by them.
    let labels: Labels
    private(set) var alerts: [Labels: NotifiedAlert] = [:]
    /// Milliseconds: when the group is looked at next.
    private(set) var due: Int64
    /// What the last message that arrived said.
    private var lastFiring: Set<Labels> = []
    private var lastResolved: Set<Labels> = []
    private var lastSentAt: Int64?
    /// Whether a message is under way.
    private(set) var isSending = false

    init(labels: Labels, now: Int64, configuration: WebhookConfiguration) {
        self.labels = labels
        due = now + configuration.groupWait.milliseconds
    }

    /// Nothing to say any more: the group can be forgotten.
    var isEmpty: Bool { alerts.isEmpty && !isSending }

    mutating func insert(_ alert: NotifiedAlert) {
        var alert = alert
        // A resolved alert that fires again is news; one that goes on keeps its start.
        if let known = alerts[alert.labels], !known.isResolved, !alert.isResolved {
            alert.startsAt = min(alert.startsAt, known.startsAt)
        }
        alerts[alert.labels] = alert
    }

    /// Looks at the group once it is due.
    ///
    /// - Returns: the alerts to send now; nil for none.
    mutating func flush(at now: Int64, configuration: WebhookConfiguration) -> [NotifiedAlert]? {
        guard now >= due, !isSending else { return nil }
        due = now + configuration.groupInterval.milliseconds
        for (labels, alert) in alerts where !alert.isResolved && alert.validUntil < now { alerts[labels]?.endsAt = now }
        let firing = Set(alerts.values.filter { !$0.isResolved }.map(\.labels))
        let resolved = Set(alerts.values.filter(\.isResolved).map(\.labels))
        guard isNews(firing, resolved, at: now, configuration) else {
            forget(resolved)
            return nil
        }
        isSending = true
        return alerts.values.filter { configuration.sendResolved || !$0.isResolved }.sorted {
            ($0.isResolved ? 1 : 0, $0.labels) < ($1.isResolved ? 1 : 0, $1.labels)
        }
    }

    /// The message arrived.
    mutating func delivered(_ sent: [NotifiedAlert], at now: Int64) {
        isSending = false
        lastSentAt = now
        lastFiring = Set(sent.filter { !$0.isResolved }.map(\.labels))
        lastResolved = Set(sent.filter(\.isResolved).map(\.labels))
        // Only what has not changed meanwhile: an alert that fires again must not be lost.
        for alert in sent where alert.isResolved && alerts[alert.labels] == alert { alerts[alert.labels] = nil }
    }

    /// The message did not arrive and is not tried again: at the next look it is news still.
    mutating func gaveUp() {
        isSending = false
    }

    /// Alertmanager's `DedupStage.needsUpdate`.
    private func isNews(
        _ firing: Set<Labels>, _ resolved: Set<Labels>, at now: Int64, _ configuration: WebhookConfiguration
    ) -> Bool {
        guard let lastSentAt else { return !firing.isEmpty }
        if !firing.isSubset(of: lastFiring) { return true }
        if firing.isEmpty { return configuration.sendResolved && !lastFiring.isEmpty && !resolved.isEmpty }
        if configuration.sendResolved, !resolved.isSubset(of: lastResolved) { return true }
        return now - lastSentAt >= configuration.repeatInterval.milliseconds
    }

    /// Resolved alerts that nobody needs to hear of.
    private mutating func forget(_ resolved: Set<Labels>) {
        for labels in resolved { alerts[labels] = nil }
        if alerts.isEmpty {
            lastFiring = []
            lastResolved = []
        }
    }
}
