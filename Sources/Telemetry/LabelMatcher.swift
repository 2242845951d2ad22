/// A condition on one label, as every query language of the field writes it.
package struct LabelMatcher: Sendable, Hashable, CustomStringConvertible {
    package enum Operation: String, Sendable, Hashable, CaseIterable {
        case equal = "="
        case notEqual = "!="
        /// A regular expression (RE2 syntax) that must match the whole value.
        case matches = "=~"
        case notMatches = "!~"
    }

    package var name: String
    package var operation: Operation
    /// The text compared with, or the regular expression.
    package var value: String

    package init(_ name: String, _ operation: Operation, _ value: String) {
        self.name = name
        self.operation = operation
        self.value = value
    }

    package var description: String {
        (name.isLabelIdentifier ? name : name.quoted) + operation.rawValue + value.quoted
    }
}
