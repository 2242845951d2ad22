import Patterns
package import Telemetry

/// Matchers with their expressions compiled.
package struct MatcherTest: Sendable {
    private let conditions: [(name: String, isNegated: Bool, pattern: LabelPattern?, value: String)]

    package init(_ matchers: [LabelMatcher]) throws(StoreError) {
        var conditions: [(name: String, isNegated: Bool, pattern: LabelPattern?, value: String)] = []
        for matcher in matchers {
            let isNegated = matcher.operation == .notEqual || matcher.operation == .notMatches
            var pattern: LabelPattern?
            if matcher.operation == .matches || matcher.operation == .notMatches {
                do { pattern = try LabelPattern(matcher.value) } catch {
                    throw StoreError(.invalidPattern, error.description)
                }
            }
            conditions.append((matcher.name, isNegated, pattern, matcher.value))
        }
        self.conditions = conditions
    }

    /// Whether all hold; an absent label is the empty string.
    package func holds(_ labels: Labels) -> Bool {
        conditions.allSatisfy { condition in
            let value = labels[condition.name] ?? ""
            return (condition.pattern?.matches(value) ?? (value == condition.value)) != condition.isNegated
        }
    }
}
