/// Times as RFC 3339 writes them, to the nanosecond.
package enum RFC3339 {
    /// Nanoseconds since the Unix epoch; nil for anything else, and for times that 64 bits do not hold (before 1678, after 2262).
    ///
    /// The zone may be `Z` or an offset; fractions may have any number of digits, those after the ninth are cut off. A space or
    /// a `t` between date and time is taken too (RFC 3339, 5.6).
    package static func nanoseconds(_ text: some Collection<UInt8>) -> Int64? {
        var digits = Cursor(rest: ArraySlice(text))
        guard let year = digits.number(4), digits.take("-"), let month = digits.number(2), digits.take("-"),
            let day = digits.number(2), digits.take("T") || digits.take("t") || digits.take(" "),
            let hour = digits.number(2), digits.take(":"), let minute = digits.number(2), digits.take(":"),
            let second = digits.number(2), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var fraction = 0
        if digits.take(".") {
            guard let nanoseconds = digits.fraction() else { return nil }
            fraction = nanoseconds
        }
        var offset = 0
        if !digits.take("Z"), !digits.take("z") {
            let isWest = digits.take("-")
            guard isWest || digits.take("+"), let hours = digits.number(2), digits.take(":"), let minutes = digits.number(2),
                hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 3_600 + minutes * 60) * (isWest ? -1 : 1)
        }
        guard digits.rest.isEmpty else { return nil }
        let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
        let (product, hasOverflown) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, hasOverflownToo) = product.addingReportingOverflow(Int64(fraction))
        return hasOverflown || hasOverflownToo ? nil : sum
    }

    /// Days from 1970-01-01 to a date of the Gregorian calendar: years are counted from March, so that the leap day is the last
    /// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil).
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private struct Cursor {
        var rest: ArraySlice<UInt8>

        mutating func take(_ character: Character) -> Bool {
            guard let first = rest.first, first == character.asciiValue else { return false }
            rest.removeFirst()
            return true
        }

        /// A number of exactly `count` digits.
        mutating func number(_ count: Int) -> Int? {
            guard rest.count >= count else { return nil }
            var value = 0
            for _ in 0..<count {
                guard let digit = nextDigit() else { return nil }
                value = value * 10 + digit
            }
            return value
        }

        /// The digits behind a decimal point, as nanoseconds.
        mutating func fraction() -> Int? {
            var (value, count) = (0, 0)
            while let digit = nextDigit() {
                if count < 9 { value = value * 10 + digit }
                count += 1
            }
            guard count > 0 else { return nil }
            for _ in min(count, 9)..<9 { value *= 10 }
            return value
        }

        private mutating func nextDigit() -> Int? {
            guard let byte = rest.first, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            rest.removeFirst()
            return Int(byte - UInt8(ascii: "0"))
        }
    }
}
