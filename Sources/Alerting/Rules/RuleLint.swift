package import Telemetry

/// What is legal in rule files but probably not meant (`promtool check rules --lint`).
package enum RuleLint {
    /// A recording rule or alert that is there more than once with the same labels.
    package struct Duplicate: Sendable, Hashable {
        package var name: String
        package var labels: Labels
    }

    /// The rules that have the name and labels of another one, once for each copy, in the order of their names.
    package static func duplicates(_ groups: [RuleGroup]) -> [Duplicate] {
        var seen: Set<Duplicate> = []
        var found: [Duplicate] = []
        for rule in groups.flatMap(\.rules) {
            let one = Duplicate(name: rule.name, labels: rule.labels)
            if !seen.insert(one).inserted { found.append(one) }
        }
        return found.sorted { ($0.name, $0.labels) < ($1.name, $1.labels) }
    }
}
