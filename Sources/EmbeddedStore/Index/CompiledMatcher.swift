import Patterns
import Telemetry

/// A matcher with its expression compiled, and what it said of the values it has seen: each distinct value is tried at most
/// once a query, however many days hold it.
final class CompiledMatcher {
    let name: String
    /// The only values that can match before negation, where they can be listed.
    let literals: [String]?
    let isNegated: Bool
    /// Whether a stream without the label matches.
    private(set) var matchesAbsent = false
    private let pattern: LabelPattern?
    /// Whether what it said is worth remembering: there is more than one place to look in.
    var remembers = false
    private var answers: [String: Bool] = [:]
    /// How many values were tried with the expression, for tests.
    private(set) var trialCount = 0

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
        matchesAbsent = isHit("") != isNegated
    }

    /// Whether every value lies outside of the answer: nothing but `.*` and its like.
    var hitsEverything: Bool { pattern?.matchesEverything == true }

    /// Where the values that hit can lie in byte order; nil where anything may.
    var bounds: LabelPattern.Bounds? { pattern?.bounds }

    /// Whether a stream whose label has this value matches.
    func matches(_ value: String) -> Bool { isHit(value) != isNegated }

    /// Whether the text or expression, before negation, matches a value.
    func isHit(_ value: String) -> Bool {
        if let literals { return literals.contains { $0.hasSameUTF8(as: value) } }
        guard let pattern, pattern.mayMatch(value) else { return false }
        if remembers, let answer = answers[value] { return answer }
        trialCount += 1
        let answer = pattern.matches(value)
        if remembers { answers[value] = answer }
        return answer
    }
}

extension [CompiledMatcher] {
    /// The streams that satisfy all matchers.
    ///
    /// - Parameters:
    ///   - all: the streams there are.
    ///   - hits: the streams whose label has a value that hits, before negation. (A stream without the label is in none.)
    ///   - having: the streams that have the label.
    func combined<Failure: Error>(
        all: Bitmap, hits: (CompiledMatcher) throws(Failure) -> Bitmap, having: (String) throws(Failure) -> Bitmap
    ) throws(Failure) -> Bitmap {
        var result = all
        // What narrows most, and costs least, first: plain equality.
        let order = indices.sorted { (self[$0].cost, $0) < (self[$1].cost, $1) }
        for index in order {
            let matcher = self[index]
            switch (matcher.isNegated, matcher.matchesAbsent) {
            case (false, false): result.formIntersection(try hits(matcher))
            case (true, true): result.subtract(try hits(matcher))
            case (true, false):
                // `!=""`, say: the label must be there.
                result.formIntersection(try having(matcher.name))
                result.subtract(try hits(matcher))
            case (false, true):
                // `=~"a?"`: what has the label must hit.
                if matcher.hitsEverything { continue }
                var missed = try having(matcher.name)
                missed.subtract(try hits(matcher))
                result.subtract(missed)
            }
            if result.isEmpty { return result }
        }
        return result
    }
}

extension CompiledMatcher {
    fileprivate var cost: Int {
        guard let literals else { return isNegated ? 1 << 31 : 1 << 30 }
        return literals.count + (isNegated || matchesAbsent ? 1 << 29 : 0)
    }
}
