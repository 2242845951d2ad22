import Settings
package import Telemetry

/// Where an alert stands.
package enum AlertState: String, Sendable, Hashable, Comparable {
    /// Its expression holds no more (or never did).
    case inactive
    /// Its expression holds, but not for long enough yet.
    case pending
    case firing

    private var rank: Int { self == .inactive ? 0 : self == .pending ? 1 : 2 }

    package static func < (left: AlertState, right: AlertState) -> Bool { left.rank < right.rank }
}

/// One alert: a rule's name and the labels of a series for which its expression holds. Times are milliseconds since the epoch.
package struct Alert: Sendable, Hashable {
    package var state: AlertState
    /// With `alertname`.
    package var labels: Labels
    package var annotations: Labels
    /// What the expression gave last.
    package var value: Double
    /// Since when the expression holds.
    package var activeAt: Int64
    package var firedAt: Int64?
    package var resolvedAt: Int64?
    /// Since when it fires only because of `keep_firing_for`.
    package var keepFiringSince: Int64?
    /// When the notifier was told last.
    package var lastSentAt: Int64?
    /// Until when the notifier should take it for firing if it hears nothing more.
    package var validUntil: Int64?

    package init(labels: Labels, annotations: Labels = .empty, value: Double, activeAt: Int64) {
        state = .pending
        self.labels = labels
        self.annotations = annotations
        self.value = value
        self.activeAt = activeAt
    }

    package static let nameLabel = "alertname"
    package static let stateLabel = "alertstate"
    package static let metricName = "ALERTS"
    package static let forStateMetricName = "ALERTS_FOR_STATE"

    /// Prometheus' fingerprint of a label set: FNV-1a, 64 bits, over names and values, each followed by 0xff.
    package static func fingerprint(_ labels: Labels) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func combine(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        for label in labels.pairs {
            label.name.utf8.forEach(combine)
            combine(0xff)
            label.value.utf8.forEach(combine)
            combine(0xff)
        }
        return hash
    }

    /// Whether the notifier is to hear of it now.
    func needsSending(at time: Int64, resendDelay: Duration) -> Bool {
        if state == .pending { return false }
        guard let lastSentAt else { return true }
        if let resolvedAt, resolvedAt > lastSentAt { return true }
        return lastSentAt + resendDelay.milliseconds < time
    }
}
