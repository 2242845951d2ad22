/// Decimal floating-point numbers in text.
package enum DecimalNumber {
    /// The powers of ten that a double holds exactly.
    private static let powersOfTen: [Double] = (0...22).map { exponent in
        var power = 1.0
        for _ in 0..<exponent { power *= 10 }
        return power
    }

    /// Reads `range` as Go's `strconv.ParseFloat` reads decimal numbers: digits with sign, fraction and exponent, or
    /// `NaN`, `Inf`, `Infinity` of any case; correctly rounded. Nil for anything else, hexadecimal numbers and
    /// underscores among it.
    package static func parse(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        var index = range.lowerBound
        let end = range.upperBound
        let isNegative = index < end && bytes[index] == UInt8(ascii: "-")
        if isNegative || (index < end && bytes[index] == UInt8(ascii: "+")) { index += 1 }
        var (mantissa, digitCount, exponent, significantCount) = (UInt64(0), 0, 0, 0)
        var isBehindPoint = false
        while index < end {
            let byte = bytes[index]
            if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                digitCount += 1
                if significantCount > 0 || byte != UInt8(ascii: "0") { significantCount += 1 }
                if significantCount <= 18 { mantissa = mantissa * 10 + UInt64(byte - UInt8(ascii: "0")) }
                if isBehindPoint { exponent -= 1 }
            } else if byte == UInt8(ascii: "."), !isBehindPoint {
                isBehindPoint = true
            } else {
                break
            }
            index += 1
        }
        if digitCount == 0 { return isBehindPoint ? nil : special(bytes, index..<end, isNegative) }
        if index < end {
            guard bytes[index] | 0x20 == UInt8(ascii: "e"), let written = self.exponent(bytes, index + 1..<end) else {
                return nil
            }
            exponent += written
        }
        // Clinger's fast path: both factors are exact, so one rounding gives the nearest double.
        if significantCount <= 18, mantissa < 1 << 53, abs(exponent) <= 22 {
            let power = powersOfTen[abs(exponent)]
            let value = exponent < 0 ? Double(mantissa) / power : Double(mantissa) * power
            return isNegative ? -value : value
        }
        return Double(bytes.text(range))
    }

    /// The shortest decimal text that reads back as `value`, never with an exponent: Go's
    /// `strconv.FormatFloat(value, 'f', -1, 64)`, as it stands in Prometheus' `le` and `quantile` labels.
    package static func text(_ value: Double) -> String {
        var bytes: [UInt8] = []
        append(value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends ``text(_:)``, without a string in between where `value` is an integer.
    package static func append(_ value: Double, to bytes: inout [UInt8]) {
        guard value.isFinite else {
            bytes.append(contentsOf: (value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf").utf8)
            return
        }
        if value.sign == .minus { bytes.append(UInt8(ascii: "-")) }
        let magnitude = value.magnitude
        if magnitude < 0x1p53, magnitude == magnitude.rounded(.towardZero) {
            appendInteger(UInt64(magnitude), to: &bytes)
        } else {
            // Swift's description is the shortest that reads back, as Go's is; only its layout differs.
            var shortest = magnitude.description
            shortest.withUTF8 { appendPlain($0, to: &bytes) }
        }
    }

    /// Appends an integer's decimal digits.
    package static func appendInteger(_ value: UInt64, to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: digitCountMax) { digits in
            var (rest, start) = (value, digitCountMax)
            repeat {
                let tenth = rest / 10
                start -= 1
                // SAFETY: no integer of 64 bits has more digits than there is room for.
                digits[start] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest &- tenth &* 10)
                rest = tenth
            } while rest > 0
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
        }
    }

    /// The digits of the largest integer.
    private static let digitCountMax = 20

    /// Rewrites `1.25e-07` as `0.000000125` and `1.25e+18` as `1250000000000000000`.
    private static func appendPlain(_ shortest: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
        guard let mark = shortest.firstIndex(of: UInt8(ascii: "e")) else {
            let isWhole = shortest.count > 2 && shortest[shortest.count - 2] == UInt8(ascii: ".") && shortest[shortest.count - 1] == UInt8(ascii: "0")
            bytes.append(contentsOf: isWhole ? shortest[..<(shortest.count - 2)] : shortest[...])
            return
        }
        let exponent = Int(String(decoding: shortest[(mark + 1)...], as: UTF8.self)) ?? 0
        var digits = shortest[..<mark].filter { $0 != UInt8(ascii: ".") }
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        let zero = UInt8(ascii: "0")
        if exponent < 0 {
            bytes.append(contentsOf: [zero, UInt8(ascii: ".")])
            bytes.append(contentsOf: repeatElement(zero, count: -exponent - 1))
            bytes.append(contentsOf: digits)
        } else {
            // A shortest text with an exponent is at least 1e16 and has 17 digits at most: all of them may stand before the point.
            bytes.append(contentsOf: digits)
            bytes.append(contentsOf: repeatElement(zero, count: max(0, exponent + 1 - digits.count)))
        }
    }

    /// An exponent's digits with their sign; far beyond a double's range it no longer matters how large it is.
    private static func exponent(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        var index = range.lowerBound
        let isNegative = index < range.upperBound && bytes[index] == UInt8(ascii: "-")
        if isNegative || (index < range.upperBound && bytes[index] == UInt8(ascii: "+")) { index += 1 }
        guard index < range.upperBound else { return nil }
        var value = 0
        while index < range.upperBound {
            guard bytes[index] >= UInt8(ascii: "0"), bytes[index] <= UInt8(ascii: "9") else { return nil }
            value = min(value * 10 + Int(bytes[index] - UInt8(ascii: "0")), 1_000_000)
            index += 1
        }
        return isNegative ? -value : value
    }

    private static func special(_ bytes: Span<UInt8>, _ range: Range<Int>, _ isNegative: Bool) -> Double? {
        switch bytes.text(range).lowercased() {
        case "nan": .nan
        case "inf", "infinity": isNegative ? -.infinity : .infinity
        default: nil
        }
    }
}
