/// Timestamps as loggers write them.
enum TimeText {
    /// RFC 3339 (also with a space for the `T`, a comma for the point, and `+0100`), or a number (``parseNumber(_:)``).
    ///
    /// - Returns: nanoseconds since the Unix epoch; nil where it is neither, or lies outside the years 1678 to 2261.
    static func parse(_ text: ArraySlice<UInt8>) -> Int64? {
        let bytes = Array(text)
        guard bytes.count >= 19, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            [UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: " ")].contains(bytes[10]),
            bytes[13] == UInt8(ascii: ":"),
            bytes[16] == UInt8(ascii: ":")
        else { return parseNumber(text) }
        guard let year = digits(bytes, 0, 4), let month = digits(bytes, 5, 2), let day = digits(bytes, 8, 2),
            let hour = digits(bytes, 11, 2), let minute = digits(bytes, 14, 2), let second = digits(bytes, 17, 2),
            (1678...2261).contains(year), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        var index = 19
        var nanoseconds: Int64 = 0
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") || bytes[index] == UInt8(ascii: ",") {
            index += 1
            var scale: Int64 = 100_000_000
            while index < bytes.count, let digit = digit(bytes[index]) {
                nanoseconds += digit * scale
                scale /= 10
                index += 1
            }
        }
        guard let offset = zone(bytes, index) else { return nil }
        let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, sumOverflows) = product.addingReportingOverflow(nanoseconds)
        return overflows || sumOverflows ? nil : sum
    }

    /// Seconds, milliseconds, microseconds or nanoseconds since the epoch, told apart by their size; fractions are exact.
    static func parseNumber(_ text: ArraySlice<UInt8>) -> Int64? {
        var index = text.startIndex
        var whole: Int64 = 0
        var digitCount = 0
        while index < text.endIndex, let digit = digit(text[index]) {
            let (product, overflows) = whole.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflows) = product.addingReportingOverflow(digit)
            if overflows || sumOverflows { return nil }
            whole = sum
            digitCount += 1
            index += 1
        }
        guard digitCount > 0 else { return nil }
        if index < text.endIndex,
            text[index] == UInt8(ascii: "e") || text[index] == UInt8(ascii: "E") || hasExponent(text[index...])
        {
            guard let value = Double(String(decoding: text, as: UTF8.self)), value >= 0, value < 9e18 else {
                return nil
            }
            return value < 1e11 ? Int64(exactly: (value * 1e9).rounded()) : Int64(value)
        }
        // 1e11 seconds lie in the year 5138; 1e11 milliseconds in 1973.
        let unit: Int64 =
            switch whole {
            case ..<100_000_000_000: 1_000_000_000
            case ..<100_000_000_000_000: 1_000_000
            case ..<100_000_000_000_000_000: 1_000
            default: 1
            }
        var fraction: Int64 = 0
        if index < text.endIndex, text[index] == UInt8(ascii: ".") {
            index += 1
            var scale = unit / 10
            while index < text.endIndex, let digit = digit(text[index]) {
                fraction += digit * scale
                scale /= 10
                index += 1
            }
        }
        guard index == text.endIndex else { return nil }
        let (product, overflows) = whole.multipliedReportingOverflow(by: unit)
        let (sum, sumOverflows) = product.addingReportingOverflow(fraction)
        return overflows || sumOverflows ? nil : sum
    }

    private static func hasExponent(_ text: ArraySlice<UInt8>) -> Bool {
        text.contains { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }
    }

    private static func digit(_ byte: UInt8) -> Int64? {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? Int64(byte - UInt8(ascii: "0")) : nil
    }

    private static func digits(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int64? {
        guard start + count <= bytes.count else { return nil }
        var value: Int64 = 0
        for byte in bytes[start..<(start + count)] {
            guard let digit = digit(byte) else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// Seconds east of Greenwich; no zone means UTC.
    private static func zone(_ bytes: [UInt8], _ index: Int) -> Int64? {
        guard index < bytes.count else { return 0 }
        let sign = bytes[index]
        if sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") { return index + 1 == bytes.count ? 0 : nil }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), let hours = digits(bytes, index + 1, 2) else {
            return nil
        }
        let at = index + 3 < bytes.count && bytes[index + 3] == UInt8(ascii: ":") ? index + 4 : index + 3
        guard let minutes = at == bytes.count ? 0 : digits(bytes, at, 2), hours < 24, minutes < 60 else { return nil }
        let seconds = hours * 3_600 + minutes * 60
        return sign == UInt8(ascii: "-") ? -seconds : seconds
    }

    /// Days since 1970-01-01 of a date of the Gregorian calendar (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
