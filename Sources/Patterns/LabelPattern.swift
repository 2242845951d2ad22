/// The regular expression of a label matcher (`=~`, `!~`): it must match the whole value. Plain text and alternations of plain
/// text are compared without RE2.
package struct LabelPattern: Sendable {
    /// If the expression is an alternation of plain texts: those. An index can look them up instead of trying every value.
    package let literals: [String]?
    private let pattern: Pattern?

    package init(_ text: String) throws(Pattern.SyntaxError) {
        let alternatives = text.split(separator: "|", omittingEmptySubsequences: false)
        let isPlain = !text.utf8.contains { Self.special.contains($0) }
        if isPlain {
            literals = alternatives.map(String.init)
            pattern = nil
        } else {
            literals = nil
            pattern = try Pattern(text, options: [.dotMatchesNewline, .noCaptures])
        }
    }

    package func matches(_ value: String) -> Bool {
        if let literals { return literals.contains(value) }
        return pattern?.matchesWhole(value) ?? false
    }

    private static let special = Set("\\.+*?()[]{}^$".utf8)
}
