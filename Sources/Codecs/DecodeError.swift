/// Why bytes could not be decoded: which field, where, and what was found.
package struct DecodeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The byte, from the start of the message, at which the trouble begins.
    package var offset: Int
    /// The field's name as its format writes it (`Span.trace_id`); empty where the trouble is between fields.
    package var field: String
    /// What was found, and what was expected.
    package var message: String

    package init(offset: Int, field: String = "", _ message: String) {
        self.offset = offset
        self.field = field
        self.message = message
    }

    package var description: String {
        field.isEmpty ? "byte \(offset): \(message)" : "field \(field) at byte \(offset): \(message)"
    }
}
