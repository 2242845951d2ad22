/// A condition that a store may push down to its blocks and filters. Texts compare by their UTF-8 bytes.
package enum Predicate: Sendable, Hashable {
    package enum Comparison: String, Sendable, Hashable {
        case equal = "=", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
    }

    /// The line holds these bytes.
    case lineContains(String)
    /// The line does not hold them.
    case lineExcludes(String)
    /// The row belongs to this trace (logs and spans).
    case trace(TraceID)
    /// The span belongs to one of these traces.
    case traces(Set<TraceID>)
    case spanName(Comparison, String)
    /// Nanoseconds.
    case duration(Comparison, Int64)
    case status(Comparison, TraceSpan.Status)
    case kind(Comparison, TraceSpan.Kind)
    /// The first attribute of that name of the span itself (``Comparison/holds(_:_:)``); a span without one fails.
    case attribute(String, Comparison, AttributeValue)
    /// The span has an attribute of that name.
    case attributeExists(String)
    /// The first attribute of that name is a text that the regular expression matches as a whole (or, negated, does not).
    case attributeMatches(String, pattern: String, isNegated: Bool)
}

extension Predicate.Comparison {
    package func holds(_ left: Int64, _ right: Int64) -> Bool {
        switch self {
        case .equal: left == right
        case .notEqual: left != right
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        }
    }

    /// Texts by their bytes.
    package func holds(_ left: String, _ right: String) -> Bool {
        switch self {
        case .equal: left.utf8.elementsEqual(right.utf8)
        case .notEqual: !left.utf8.elementsEqual(right.utf8)
        case .less: left.utf8Precedes(right)
        case .lessOrEqual: !right.utf8Precedes(left)
        case .greater: right.utf8Precedes(left)
        case .greaterOrEqual: !left.utf8Precedes(right)
        }
    }

    /// Whether an attribute's value compares so with `operand`: numbers with numbers whatever their type, texts with texts (bytes and
    /// maps by their text), booleans for equality; of an array one element is enough. What has no common kind does not compare.
    package func holds(_ value: AttributeValue, _ operand: AttributeValue) -> Bool {
        if case .array(let elements) = value { return elements.contains { isTrue($0, operand) } }
        return isTrue(value, operand)
    }

    private func isTrue(_ value: AttributeValue, _ operand: AttributeValue) -> Bool {
        switch (value, operand) {
        case (.string(let left), .string(let right)): holds(left, right)
        case (.bytes, .string(let right)), (.array, .string(let right)), (.map, .string(let right)): holds(value.text, right)
        case (.int(let left), .int(let right)): holds(left, right)
        case (.int(let left), .double(let right)): isTrue(Double(left), right)
        case (.double(let left), .int(let right)): isTrue(left, Double(right))
        case (.double(let left), .double(let right)): isTrue(left, right)
        case (.bool(let left), .bool(let right)): self == .equal ? left == right : self == .notEqual ? left != right : false
        default: false
        }
    }

    /// What is no number comes behind all numbers.
    private func isTrue(_ left: Double, _ right: Double) -> Bool {
        let order: Int64 = left == right ? 0 : left < right ? -1 : 1
        return holds(order, 0)
    }
}
