import Patterns
import Telemetry

/// What a span must satisfy, gathered from the predicates of a request.
struct SpanConditions: Sendable {
    /// A condition on the first attribute of a name.
    struct Attribute: Sendable {
        enum Test: Sendable {
            case exists
            case compare(Predicate.Comparison, AttributeValue)
            case matches(LabelPattern, isNegated: Bool)

            func holds(_ value: AttributeValue) -> Bool {
                switch self {
                case .exists: true
                case .compare(let comparison, let operand): comparison.holds(value, operand)
                case .matches(let pattern, let isNegated):
                    switch value {
                    case .array(let values): values.contains { Self.matches($0, pattern, isNegated) }
                    default: Self.matches(value, pattern, isNegated)
                    }
                }
            }

            private static func matches(_ value: AttributeValue, _ pattern: LabelPattern, _ isNegated: Bool) -> Bool {
                switch value {
                case .string(let text): pattern.matches(text) != isNegated
                case .bytes, .array, .map: pattern.matches(value.text) != isNegated
                case .empty, .bool, .int, .double: false
                }
            }
        }

        var name: String
        var test: Test
    }

    /// One of these; nil: any.
    private(set) var traces: Set<TraceID>?
    private(set) var durations = Int64.min...Int64.max
    private(set) var excludedDurations: [Int64] = []
    /// Bit i: the kind and status of code i are wanted.
    private(set) var kindsAndStatuses: UInt64 = .max
    private(set) var names: [(comparison: Predicate.Comparison, text: String)] = []
    private(set) var attributes: [Attribute] = []
    /// Conditions that contradict each other.
    private(set) var isNever = false

    var isEmpty: Bool {
        traces == nil && durations == Int64.min...Int64.max && excludedDurations.isEmpty && kindsAndStatuses == .max && names.isEmpty
            && attributes.isEmpty && !isNever
    }

    /// Nothing that a block's summary could tell is asked.
    var isAnyKindAndDuration: Bool { durations == Int64.min...Int64.max && kindsAndStatuses == .max }

    /// Whether a span of a block may satisfy the conditions.
    ///
    /// - Parameters:
    ///   - durations: those of the block's spans.
    ///   - present: bit i: some span has the kind and status of code i.
    func mayHold(_ durations: ClosedRange<Int64>, _ present: UInt64) -> Bool {
        self.durations.overlaps(durations) && kindsAndStatuses & present != 0
    }

    /// Takes a predicate; false where it is none that this store applies.
    mutating func add(_ predicate: Predicate) -> Bool {
        switch predicate {
        case .trace(let id):
            // The filters know of no span without a trace.
            if id.isNone { return false }
            traces = traces.map { $0.intersection([id]) } ?? [id]
        case .traces(let ids): traces = traces.map { $0.intersection(ids) } ?? ids
        case .spanName(let comparison, let text): names.append((comparison, text))
        case .duration(let comparison, let bound): add(comparison, bound)
        case .status(let comparison, let status):
            guard comparison == .equal || comparison == .notEqual else { return false }
            narrow { ($0 % 3 == Int(status.rawValue)) == (comparison == .equal) }
        case .kind(let comparison, let kind):
            guard comparison == .equal || comparison == .notEqual else { return false }
            narrow { ($0 / 3 == Int(kind.rawValue)) == (comparison == .equal) }
        case .attribute(let name, let comparison, let value):
            attributes.append(Attribute(name: name, test: .compare(comparison, value)))
        case .attributeExists(let name): attributes.append(Attribute(name: name, test: .exists))
        case .attributeMatches(let name, let pattern, let isNegated):
            // What is no regular expression is the reader's to refuse.
            guard let pattern = try? LabelPattern(pattern) else { return false }
            attributes.append(Attribute(name: name, test: .matches(pattern, isNegated: isNegated)))
        case .lineContains, .lineExcludes: return false
        }
        return true
    }

    private mutating func narrow(_ isWanted: (Int) -> Bool) {
        for code in 0..<SpanBlock.kindAndStatusCount where !isWanted(code) { kindsAndStatuses &= ~(1 << UInt64(code)) }
    }

    private mutating func add(_ comparison: Predicate.Comparison, _ bound: Int64) {
        var (low, high) = (durations.lowerBound, durations.upperBound)
        switch comparison {
        case .equal: (low, high) = (max(low, bound), min(high, bound))
        case .notEqual: excludedDurations.append(bound)
        case .lessOrEqual: high = min(high, bound)
        case .greaterOrEqual: low = max(low, bound)
        case .less:
            if bound == .min { isNever = true } else { high = min(high, bound - 1) }
        case .greater:
            if bound == .max { isNever = true } else { low = max(low, bound + 1) }
        }
        if low > high { isNever = true } else { durations = low...high }
    }

    func holds(_ span: TraceSpan) -> Bool {
        if isNever { return false }
        if let traces, !traces.contains(span.traceID) { return false }
        if !durations.contains(span.duration) || excludedDurations.contains(span.duration) { return false }
        if kindsAndStatuses & (1 << UInt64(SpanBlock.code(span.kind, span.status))) == 0 { return false }
        for (comparison, text) in names where !comparison.holds(span.name, text) { return false }
        for condition in attributes {
            guard let first = span.attributes.first(where: { $0.name.utf8.elementsEqual(condition.name.utf8) }),
                condition.test.holds(first.value)
            else { return false }
        }
        return true
    }
}
