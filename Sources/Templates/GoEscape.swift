/// The escapes of Go's string literals.
package enum GoEscape {
    private static let simple: [UInt8: UInt8] = [
        0x61: 7, 0x62: 8, 0x66: 12, 0x6e: 10, 0x72: 13, 0x74: 9, 0x76: 11, 0x5c: 0x5c, 0x22: 0x22, 0x27: 0x27,
    ]

    /// Reads the escape whose backslash stands at `position`, and moves behind it; nil where it is none.
    package static func read(_ bytes: [UInt8], _ position: inout Int) -> [UInt8]? {
        guard position + 1 < bytes.count else { return nil }
        let kind = bytes[position + 1]
        if let byte = simple[kind] {
            position += 2
            return [byte]
        }
        let (digitCount, skip, radix): (Int, Int, Int)
        switch kind {
        case UInt8(ascii: "x"): (digitCount, skip, radix) = (2, 2, 16)
        case UInt8(ascii: "u"): (digitCount, skip, radix) = (4, 2, 16)
        case UInt8(ascii: "U"): (digitCount, skip, radix) = (8, 2, 16)
        case UInt8(ascii: "0")...UInt8(ascii: "7"): (digitCount, skip, radix) = (3, 1, 8)
        default: return nil
        }
        let digits = position + skip
        guard digits + digitCount <= bytes.count,
            let value = UInt32(String(decoding: bytes[digits..<digits + digitCount], as: UTF8.self), radix: radix)
        else { return nil }
        position = digits + digitCount
        if digitCount <= 3 { return value <= 255 ? [UInt8(value)] : nil }
        return Unicode.Scalar(value).map { Array(String(Character($0)).utf8) }
    }
}
