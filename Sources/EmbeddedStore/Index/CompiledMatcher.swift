import Patterns
import Telemetry

/// A matcher with its expression compiled, and what it said of the values it has seen: each distinct value is tried at most
/// once a query, however many days hold it.
final class CompiledMatcher {
    let name: String
    /// The only values that can match before negation, where they can be listed.
    let literals: [String]?
    let isNegated: Bool
    private let pattern: LabelPattern?
    private var answers: [String: Bool] = [:]
    /// Whether a stream without the label matches.
    private(set) var matchesAbsent = false

    init(_ matcher: LabelMatcher) throws(StoreError) {
        name = matcher.name
        isNegated = matcher.operation == .notEqual || matcher.operation == .notMatches
        switch matcher.operation {
        case .equal, .notEqual:
            literals = [matcher.value]
            pattern = nil
        case .matches, .notMatches:
            let pattern: LabelPattern
            do {
                pattern = try LabelPattern(matcher.value)
            } catch {
                throw StoreError(.invalidPattern, error.description, remedy: "Apus takes RE2's syntax, as Go does.")
            }
            literals = pattern.literals
            self.pattern = pattern
        }
        matchesAbsent = matches("")
    }

    /// Whether a stream whose label has this value matches.
    func matches(_ value: String) -> Bool {
        if let literals { return literals.contains(value) != isNegated }
        if let answer = answers[value] { return answer }
        let answer = pattern?.matches(value) == true
        answers[value] = answer != isNegated
        return answer != isNegated
    }
}
