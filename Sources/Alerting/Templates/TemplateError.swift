/// Why a template cannot be parsed or expanded.
package struct TemplateError: Error, Sendable, Hashable, CustomStringConvertible {
    /// How the template is called in messages.
    package var name: String
    /// From 1.
    package var line: Int
    package var message: String

    /// As Go's `text/template` writes it: `template: NAME:LINE: message`.
    package var description: String { "template: \(name):\(line): \(message)" }
}
