/// The id of a trace: 16 bytes, never all zero.
package struct TraceID: Hashable, Sendable, CustomStringConvertible {
    package var high: UInt64
    package var low: UInt64

    package init?(high: UInt64, low: UInt64) {
        guard high | low != 0 else { return nil }
        self.high = high
        self.low = low
    }

    /// A new one. The generator is the system's, so two processes do not draw the same.
    package static func random() -> TraceID {
        while true {
            if let drawn = TraceID(high: .random(in: .min ... .max), low: .random(in: .min ... .max)) { return drawn }
        }
    }

    package var description: String { Hexadecimal.text(high) + Hexadecimal.text(low) }
}

/// The id of a span within its trace: 8 bytes, never all zero.
package struct SpanID: Hashable, Sendable, CustomStringConvertible {
    package var value: UInt64

    package init?(_ value: UInt64) {
        guard value != 0 else { return nil }
        self.value = value
    }

    package static func random() -> SpanID {
        while true {
            if let drawn = SpanID(.random(in: .min ... .max)) { return drawn }
        }
    }

    package var description: String { Hexadecimal.text(value) }
}

/// 64 bits as sixteen lowercase digits and back.
enum Hexadecimal {
    static func text(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// Lowercase digits only, as W3C wants; nil for anything else.
    static func value(_ digits: Substring.UTF8View) -> UInt64? {
        var value: UInt64 = 0
        guard digits.count <= 16 else { return nil }
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }
}
