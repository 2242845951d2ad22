import Patterns
import Settings

/// A regular expression of a module: known by its text.
package struct ProbeExpression: Sendable, Hashable {
    package let text: String
    let pattern: Pattern

    init(_ node: ConfigurationNode) throws(ConfigurationError) {
        text = try node.string
        do {
            pattern = try Pattern(text)
        } catch {
            throw node.error("\(node.name): \(error)")
        }
    }

    static func list(_ node: ConfigurationNode?) throws(ConfigurationError) -> [ProbeExpression] {
        var expressions: [ProbeExpression] = []
        for item in try node?.list ?? [] { expressions.append(try ProbeExpression(item)) }
        return expressions
    }

    package static func == (left: ProbeExpression, right: ProbeExpression) -> Bool { left.text == right.text }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
