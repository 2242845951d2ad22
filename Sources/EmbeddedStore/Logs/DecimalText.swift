/// Decimal numbers as text that come back character for character from an integer and a number of fraction digits.
enum DecimalText {
    /// More digits do not surely fit into 64 bits.
    static let digitCountMax = 18

    /// By exponent: the powers of ten of ``digitCountMax`` digits.
    static let powers: [Int64] = (0...18).map { exponent in (0..<exponent).reduce(Int64(1)) { power, _ in power * 10 } }

    /// Reads a number without exponent that has one spelling: no needless zero before it, no `-0`, no plus.
    ///
    /// - Returns: all digits as an integer, and how many of them stand behind the point; nil for anything else.
    @inline(__always)
    static func parse(_ text: UnsafeBufferPointer<UInt8>) -> (digits: Int64, fractionCount: Int)? {
        guard text.count > 0, text.count <= digitCountMax + 2 else { return nil }
        var index = 0
        let isNegative = text[0] == UInt8(ascii: "-")
        if isNegative { index = 1 }
        let first = index
        var value: Int64 = 0
        var point = -1
        while index < text.count {
            let digit = text[index] &- 0x30
            if digit < 10 {
                value = value &* 10 &+ Int64(digit)
            } else {
                guard text[index] == UInt8(ascii: "."), point < 0, index > first, index + 1 < text.count else { return nil }
                point = index
            }
            index += 1
        }
        let digitCount = text.count - first - (point < 0 ? 0 : 1)
        guard digitCount > 0, digitCount <= digitCountMax else { return nil }
        let wholeCount = (point < 0 ? text.count : point) - first
        if wholeCount > 1, text[first] == 0x30 { return nil }
        if isNegative, value == 0 { return nil }
        return (isNegative ? -value : value, point < 0 ? 0 : text.count - point - 1)
    }

    /// The longest text that ``write(_:scale:isTrimmed:to:)`` makes: sign, 20 digits, point, zero.
    static let byteCountMax = 24

    /// Writes `value` / 10^`scale`.
    ///
    /// - Parameters:
    ///   - scale: 0…18.
    ///   - isTrimmed: leave out zeros at the fraction's end, and the point with the last digit.
    /// - Returns: how many bytes were written.
    ///
    /// SAFETY: `output` has room for ``byteCountMax`` bytes.
    @inline(__always)
    static func write(_ value: Int64, scale: Int, isTrimmed: Bool, to output: UnsafeMutablePointer<UInt8>) -> Int {
        var next = output
        if value < 0 {
            next.pointee = UInt8(ascii: "-")
            next += 1
        }
        var digits = value.magnitude
        var fractionCount = scale
        if isTrimmed {
            while fractionCount > 0, digits % 10 == 0 {
                digits /= 10
                fractionCount -= 1
            }
        }
        // At least one digit before the point.
        let count = max(digitCount(digits), fractionCount + 1)
        var position = next + count + (fractionCount > 0 ? 1 : 0)
        let end = position
        var left = fractionCount
        while left > 0 {
            position -= 1
            position.pointee = 0x30 &+ UInt8(truncatingIfNeeded: digits % 10)
            digits /= 10
            left -= 1
        }
        if fractionCount > 0 {
            position -= 1
            position.pointee = UInt8(ascii: ".")
        }
        repeat {
            position -= 1
            position.pointee = 0x30 &+ UInt8(truncatingIfNeeded: digits % 10)
            digits /= 10
        } while position > next
        return end - output
    }

    @inline(__always)
    private static func digitCount(_ value: UInt64) -> Int {
        var (count, bound) = (1, UInt64(10))
        while value >= bound {
            count += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { return count }
            bound = next
        }
        return count
    }
}
