/// A JSON number as it was written, so that no digit is lost before somebody says what it should be.
package struct JSONNumber: Sendable, Hashable {
    /// The text: valid by RFC 8259's grammar.
    package var text: String

    package init(text: String) {
        self.text = text
    }

    /// Its value as an integer; nil where it has a fraction or does not fit. `1.0` and `1e3` are integers.
    package var int64: Int64? {
        Int64(text) ?? Int64(exactly: double)
    }

    /// Its value as an unsigned integer; nil where it is negative, has a fraction or does not fit.
    package var uint64: UInt64? {
        UInt64(text) ?? UInt64(exactly: double)
    }

    /// The nearest double; infinite beyond its range.
    package var double: Double {
        Double(text) ?? .nan
    }

    /// Whether it is written without fraction and exponent.
    package var isIntegerText: Bool {
        text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) }
    }
}
