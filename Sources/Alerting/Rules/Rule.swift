package import Telemetry

/// A group of rules that are evaluated one after the other, at one interval.
package struct RuleGroup: Sendable, Hashable {
    package var name: String
    /// The file it came from.
    package var file: String
    /// nil: the global evaluation interval.
    package var interval: Duration?
    /// nil: the global query offset.
    package var queryOffset: Duration?
    /// The most series that a recording rule, or alerts that an alerting rule, may produce; 0: no limit.
    package var limit = 0
    package var rules: [Rule] = []
    /// Added to every rule's own labels, which win.
    package var labels: Labels = .empty
    package var language = RuleLanguage.promql
}

/// What the expressions of a group are written in.
package enum RuleLanguage: String, Sendable, Hashable, CaseIterable {
    case promql
    /// Loki's rules: numbers over log lines.
    case logql

    /// What a group's `type` may say.
    static let names = ["promql", "prometheus", "logql"]

    init(name: String) { self = name == "logql" ? .logql : .promql }
}

/// A recording or an alerting rule.
package struct Rule: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case recording
        case alerting
    }

    package var kind: Kind
    /// The metric that is recorded, or the alert.
    package var name: String
    package var expression: String
    package var language = RuleLanguage.promql
    /// Those of the group included; templates, for an alert.
    package var labels: Labels = .empty
    /// How long the expression must hold before the alert fires (`for`).
    package var holdDuration: Duration = .zero
    /// How long the alert goes on firing after the expression held last.
    package var keepFiringFor: Duration = .zero
    /// Templates.
    package var annotations: Labels = .empty
}

/// Which names labels and annotations may have.
package enum NameValidation: Sendable, Hashable {
    /// Any UTF-8: Prometheus 3.
    case utf8
    /// Letters, digits and underscores: Prometheus 2.
    case legacy

    func allowsLabel(_ name: String) -> Bool {
        switch self {
        case .utf8: !name.isEmpty
        case .legacy: name.isLabelIdentifier
        }
    }

    func allowsMetric(_ name: String) -> Bool {
        switch self {
        case .utf8: !name.isEmpty
        case .legacy: String(name.map { $0 == ":" ? "_" : $0 }).isLabelIdentifier
        }
    }
}
