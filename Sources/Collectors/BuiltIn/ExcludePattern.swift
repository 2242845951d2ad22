import Patterns
import Settings

/// A regular expression of a configuration: known by its text, so that configurations can be compared.
package struct ExcludePattern: Sendable, Hashable {
    package let text: String
    let pattern: Pattern

    init(_ text: String) throws(Pattern.SyntaxError) {
        self.text = text
        pattern = try Pattern(text, options: [.noCaptures])
    }

    /// An expression of ours, which compiles; nil leaves nothing out.
    static func standard(_ text: String) -> ExcludePattern? { try? ExcludePattern(text) }

    /// The expression of a setting; nil where it is empty.
    static func load(_ node: ConfigurationNode) throws(ConfigurationError) -> ExcludePattern? {
        let text = try node.string
        guard !text.isEmpty else { return nil }
        do {
            return try ExcludePattern(text)
        } catch {
            throw node.error("\(node.name): \(error)")
        }
    }

    package static func == (left: ExcludePattern, right: ExcludePattern) -> Bool { left.text == right.text }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
