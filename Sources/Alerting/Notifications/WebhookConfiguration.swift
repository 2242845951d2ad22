import Telemetry

/// A receiver of notifications over HTTP. The names are Alertmanager's.
package struct WebhookConfiguration: Sendable, Hashable {
    /// The receiver's name in the message.
    package var name: String
    package var url: String
    /// The value of the header `Authorization`; empty for none.
    package var authorization: String
    /// Whether resolved alerts are told, too.
    package var sendResolved: Bool
    /// The labels whose values make a group: one message each.
    package var groupBy: [String]
    /// How long a new group waits for more alerts to join it.
    package var groupWait: Duration
    /// How long after a message the next one about a change of the group may come.
    package var groupInterval: Duration
    /// How long until a message is repeated though nothing changed.
    package var repeatInterval: Duration
    /// The most alerts in a message; 0 for all. The rest is counted in `truncatedAlerts`.
    package var maxAlerts: Int

    package init(
        name: String = "webhook", url: String, authorization: String = "", sendResolved: Bool = true,
        groupBy: [String] = ["alertname"],
        groupWait: Duration = .seconds(10), groupInterval: Duration = .seconds(60),
        repeatInterval: Duration = .seconds(4 * 3_600),
        maxAlerts: Int = 0
    ) {
        self.name = name
        self.url = url
        self.authorization = authorization
        self.sendResolved = sendResolved
        self.groupBy = groupBy
        self.groupWait = groupWait
        self.groupInterval = groupInterval
        self.repeatInterval = repeatInterval
        self.maxAlerts = maxAlerts
    }
}

/// What a notifier has done so far.
package struct NotifierStatistics: Sendable, Hashable {
    package var sent = 0
    package var failed = 0
    /// Alerts that found the queue full.
    package var dropped = 0
    package var lastError = ""
}

/// An alert as receivers see it. Times are milliseconds since the epoch.
struct NotifiedAlert: Sendable, Hashable {
    var labels: Labels
    var annotations: Labels
    var startsAt: Int64
    /// When it was resolved; nil while it fires.
    var endsAt: Int64?
    /// When it counts as resolved if nothing more is heard of it.
    var validUntil: Int64
    var generatorURL: String

    var isResolved: Bool { endsAt != nil }
    var fingerprint: UInt64 { Alert.fingerprint(labels) }
}
