package import Codecs

/// Why a message of some wire format could not be read. Nothing of a message that ends in one is handed on.
package struct FormatError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What the message should have been ("OTLP traces", "remote write").
    package var format: String
    /// The field's name as the format writes it; empty where the trouble is between fields.
    package var field: String
    /// The byte, from the start of the (decompressed) message, at which the trouble begins.
    package var offset: Int
    /// The line of a text format, from 1; nil for others.
    package var line: Int?
    /// What was found, and what was expected.
    package var message: String

    package init(format: String, field: String = "", offset: Int, line: Int? = nil, message: String) {
        self.format = format
        self.field = field
        self.offset = offset
        self.line = line
        self.message = message
    }

    /// A decoder's error, with the format that it was decoding.
    package init(_ format: String, _ error: DecodeError) {
        self.init(format: format, field: error.field, offset: error.offset, message: error.message)
    }

    package var description: String {
        var place = field.isEmpty ? "" : "field \(field) at "
        if let line { place += "line \(line), " }
        return "\(format): \(place)byte \(offset): \(message)"
    }
}
