/// A trace's 16 bytes. All zero means "none".
package struct TraceID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The first and the last 8 bytes, big-endian.
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package static let none = TraceID(high: 0, low: 0)
    package var isNone: Bool { high == 0 && low == 0 }

    /// Reads up to 32 hexadecimal digits of either case; shorter ones (Jaeger's 64-bit ids) are padded with zeros on the left.
    package init?(hex text: some StringProtocol) {
        let digits = text.utf8
        guard digits.count <= 32, !digits.isEmpty else { return nil }
        var (high, low) = (UInt64(0), UInt64(0))
        for digit in digits {
            guard let value = hexValue(digit) else { return nil }
            high = high << 4 | low >> 60
            low = low << 4 | UInt64(value)
        }
        self.init(high: high, low: low)
    }

    /// 32 lower-case hexadecimal digits.
    package var description: String { hexText(high) + hexText(low) }

    package static func < (left: TraceID, right: TraceID) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }
}

/// A span's 8 bytes. Zero means "none" (a root's parent).
package struct SpanID: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var value: UInt64

    package init(_ value: UInt64) {
        self.value = value
    }

    package static let none = SpanID(0)
    package var isNone: Bool { value == 0 }

    /// Reads up to 16 hexadecimal digits of either case.
    package init?(hex text: some StringProtocol) {
        let digits = text.utf8
        guard digits.count <= 16, !digits.isEmpty else { return nil }
        var value = UInt64(0)
        for digit in digits {
            guard let nibble = hexValue(digit) else { return nil }
            value = value << 4 | UInt64(nibble)
        }
        self.value = value
    }

    /// 16 lower-case hexadecimal digits.
    package var description: String { hexText(value) }

    package static func < (left: SpanID, right: SpanID) -> Bool { left.value < right.value }
}

private func hexValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
}

private func hexText(_ value: UInt64) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
}
