import Settings
import Telemetry

/// The alerts of one rule: what its expression gave goes in, which alerts are active comes out. No time, no I/O of its own
/// (Prometheus, rules/alerting.go).
struct AlertStateMachine: Sendable {
    /// Why an evaluation failed.
    struct Failure: Error, Sendable, CustomStringConvertible {
        var description: String
    }

    /// How long a resolved alert is kept, so that the notifier surely hears of it.
    static let resolvedRetention = Duration.seconds(15 * 60)

    let holdDuration: Duration
    let keepFiringFor: Duration
    /// By label set.
    private(set) var alerts: [Labels: Alert] = [:]

    init(holdDuration: Duration, keepFiringFor: Duration) {
        self.holdDuration = holdDuration
        self.keepFiringFor = keepFiringFor
    }

    /// Those that are pending or firing.
    var active: [Alert] { alerts.values.filter { $0.state != .inactive } }

    /// The rule's state: the highest of its alerts'.
    var state: AlertState { alerts.values.map(\.state).max() ?? .inactive }

    /// Takes the result of an evaluation.
    ///
    /// - Parameters:
    ///   - candidates: one alert for each series that the expression gave, labels and annotations expanded.
    ///   - time: of the evaluation, in milliseconds.
    ///   - limit: the most active alerts; 0 for none.
    mutating func update(_ candidates: [Alert], at time: Int64, limit: Int = 0) throws(Failure) {
        var present: Set<Labels> = []
        for candidate in candidates where !present.insert(candidate.labels).inserted {
            throw Failure(description: "vector contains metrics with the same labelset after applying alert labels")
        }
        for candidate in candidates {
            if var known = alerts[candidate.labels], known.state != .inactive {
                known.value = candidate.value
                known.annotations = candidate.annotations
                alerts[candidate.labels] = known
            } else {
                alerts[candidate.labels] = candidate
            }
        }
        for (labels, alert) in alerts {
            alerts[labels] = present.contains(labels) ? held(alert, at: time) : absent(alert, at: time)
        }
        let activeCount = active.count
        if limit > 0, activeCount > limit {
            alerts = [:]
            throw Failure(description: "exceeded limit of \(limit) with \(activeCount) alerts")
        }
    }

    /// Takes over the alerts of the same rule before a reload.
    mutating func adopt(_ other: AlertStateMachine) {
        alerts = other.alerts
    }

    /// An alert was active before a restart: goes on with the time that was left of `for` when the process ended; the time in
    /// between does not count, for nobody knows whether the expression held.
    ///
    /// - Parameters:
    ///   - activeAt: since when it was active.
    ///   - lastSeen: when that was recorded last.
    mutating func restore(_ labels: Labels, activeAt: Int64, lastSeen: Int64, now: Int64) {
        guard var alert = alerts[labels], alert.state == .pending, activeAt <= lastSeen, lastSeen <= now else { return }
        let wasFiring = lastSeen - activeAt >= holdDuration.milliseconds
        alert.activeAt = wasFiring ? activeAt : activeAt + (now - lastSeen)
        alerts[labels] = held(alert, at: now)
    }

    /// Marks alerts as sent and returns those that the notifier is to hear of.
    mutating func takeUnsent(at time: Int64, resendDelay: Duration, interval: Duration) -> [Alert] {
        var unsent: [Alert] = []
        for (labels, var alert) in alerts where alert.needsSending(at: time, resendDelay: resendDelay) {
            alert.lastSentAt = time
            // Long enough that two lost rounds do not resolve it.
            alert.validUntil = time + 4 * max(interval, resendDelay).milliseconds
            alerts[labels] = alert
            unsent.append(alert)
        }
        return unsent.sorted { $0.labels < $1.labels }
    }

    /// The expression holds.
    private func held(_ alert: Alert, at time: Int64) -> Alert {
        var alert = alert
        alert.keepFiringSince = nil
        if alert.state == .pending, time - alert.activeAt >= holdDuration.milliseconds {
            alert.state = .firing
            alert.firedAt = time
        }
        return alert
    }

    /// The expression does not hold.
    ///
    /// - Returns: nil where the alert is forgotten.
    private func absent(_ alert: Alert, at time: Int64) -> Alert? {
        var alert = alert
        switch alert.state {
        case .pending: return nil
        case .inactive:
            guard let resolvedAt = alert.resolvedAt, time - resolvedAt <= Self.resolvedRetention.milliseconds else {
                return nil
            }
            return alert
        case .firing:
            if keepFiringFor > .zero {
                let since = alert.keepFiringSince ?? time
                alert.keepFiringSince = since
                if time - since < keepFiringFor.milliseconds { return alert }
            }
            alert.state = .inactive
            alert.resolvedAt = time
            return alert
        }
    }
}
