package import Telemetry

/// A group as `/api/v1/rules` shows it. Times are milliseconds since the epoch.
package struct RuleGroupSnapshot: Sendable {
    package var name: String
    package var file: String
    package var interval: Duration
    package var limit: Int
    package var labels: Labels
    package var language = RuleLanguage.promql
    package var queryOffset: Duration?
    package var rules: [RuleSnapshot]
    /// How long the last evaluation of the whole group took.
    package var evaluationTime: Duration = .zero
    /// nil before the first.
    package var lastEvaluation: Int64?
    /// Evaluations left out because the one before took too long.
    package var missedCount = 0

    /// The group as its file has it.
    package var group: RuleGroup {
        var group = RuleGroup(name: name, file: file)
        group.interval = interval
        group.queryOffset = queryOffset
        group.limit = limit
        group.language = language
        group.rules = rules.map(\.rule)
        return group
    }
}

/// A rule as `/api/v1/rules` shows it.
package struct RuleSnapshot: Sendable {
    package enum Health: String, Sendable {
        case unknown
        case ok
        case failed = "err"
    }

    package var rule: Rule
    package var health = Health.unknown
    package var lastError = ""
    package var evaluationTime: Duration = .zero
    package var lastEvaluation: Int64?
    /// For an alerting rule: the highest state among its alerts.
    package var state = AlertState.inactive
    /// Pending and firing, by labels.
    package var alerts: [Alert] = []
}
