import Patterns
import Query
import Telemetry

/// A matcher on one value, ready to run.
struct ValueMatcher {
    private let operation: LabelMatcher.Operation
    private let value: String
    private let pattern: LabelPattern?

    init(_ matcher: LabelMatcher) throws(QueryError) {
        operation = matcher.operation
        value = matcher.value
        switch matcher.operation {
        case .equal, .notEqual: pattern = nil
        case .matches, .notMatches:
            pattern = try StageError.converted { () throws(Pattern.SyntaxError) in
                try LabelPattern(matcher.value)
            } text: {
                GoParseFault.regexp($0)
            }
        }
    }

    /// The text that a value must or must not be; nil for expressions.
    var equality: (text: String, isEqual: Bool)? {
        switch operation {
        case .equal: (value, true)
        case .notEqual: (value, false)
        case .matches, .notMatches: nil
        }
    }

    func holds(_ text: String) -> Bool {
        switch operation {
        case .equal: text == value
        case .notEqual: text != value
        case .matches: pattern?.matches(text) ?? false
        case .notMatches: !(pattern?.matches(text) ?? false)
        }
    }
}

/// A label filter ready to run.
indirect enum LabelFilterStage {
    case string(String, ValueMatcher)
    case number(String, LabelFilter.Comparison, Double)
    case duration(String, LabelFilter.Comparison, Int64)
    case bytes(String, LabelFilter.Comparison, UInt64)
    /// - Parameter isAlone: it is no part of another condition.
    case ip(String, isEqual: Bool, AddressMatcher, isAlone: Bool)
    case and(LabelFilterStage, LabelFilterStage)
    case or(LabelFilterStage, LabelFilterStage)

    init(_ filter: LabelFilter, isAlone: Bool = true) throws(QueryError) {
        switch filter {
        case .string(let matcher): self = .string(matcher.name, try ValueMatcher(matcher))
        case .number(let name, let comparison, let value): self = .number(name, comparison, value)
        case .duration(let name, let comparison, let value): self = .duration(name, comparison, value)
        case .bytes(let name, let comparison, let value): self = .bytes(name, comparison, value)
        case .ip(let name, let isEqual, let address):
            self = .ip(
                name, isEqual: isEqual,
                try StageError.converted { () throws(AddressMatcher.Fault) in
                    try AddressMatcher(address)
                } text: {
                    $0.description
                }, isAlone: isAlone)
        case .and(let left, let right): self = .and(try LabelFilterStage(left, isAlone: false), try LabelFilterStage(right, isAlone: false))
        case .or(let left, let right): self = .or(try LabelFilterStage(left, isAlone: false), try LabelFilterStage(right, isAlone: false))
        }
    }

    /// Whether the line stays. A value of the wrong type marks the line with an error, if it has none, and lets it stay, as in Loki.
    func passes(_ labels: inout RowLabels) -> Bool {
        switch self {
        case .string(let name, let matcher): return matcher.holds(labels.value(name))
        case .and(let left, let right): return left.passes(&labels) && right.passes(&labels)
        case .or(let left, let right): return left.passes(&labels) || right.passes(&labels)
        case .number(let name, let comparison, let wanted):
            return compare(name, comparison, wanted, &labels, fault: GoParseFault.float) { Double($0) }
        case .duration(let name, let comparison, let wanted):
            return compare(name, comparison, wanted, &labels, fault: GoParseFault.duration) { Units.duration($0, allowsDays: false) }
        case .bytes(let name, let comparison, let wanted):
            return compare(name, comparison, wanted, &labels, fault: GoParseFault.bytes) { Units.bytes($0) }
        case .ip(let name, let isEqual, let matcher, let isAlone):
            // Where a parser came upon the label before it failed, the filter has looked at it then: conditions that stand alone are
            // looked at while Loki parses.
            guard labels.error == nil || isAlone && labels.hasOwn(name) else { return true }
            let value = labels.value(name)
            return !value.isEmpty && matcher.matches(value) == isEqual
        }
    }

    private func compare<Value: Comparable>(
        _ name: String, _ comparison: LabelFilter.Comparison, _ wanted: Value, _ labels: inout RowLabels, fault: (String) -> String,
        _ convert: (String) -> Value?
    ) -> Bool {
        let text = labels.value(name)
        guard !text.isEmpty else { return false }
        guard let value = convert(text) else {
            if labels.error == nil { labels.fail(ErrorLabel.labelFilter, fault(text)) }
            return true
        }
        return comparison.holds(value, wanted)
    }
}
