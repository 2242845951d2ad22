/// RFC 3339 times as text that come back character for character from nanoseconds and a style.
///
/// The wall clock counts: the zone is a constant text of the column, so that 12:00+02:00 is noon here.
enum TimeText {
    /// How the fraction of a second is written.
    enum Fraction: Sendable, Hashable {
        /// So many digits, 0…9.
        case fixed(Int)
        /// Up to nine, without zeros at the end: Go's RFC3339Nano.
        case trimmed

        var code: UInt8 {
            switch self {
            case .fixed(let count): UInt8(count)
            case .trimmed: 10
            }
        }

        init?(code: UInt8) {
            switch code {
            case 0...9: self = .fixed(Int(code))
            case 10: self = .trimmed
            default: return nil
            }
        }

        /// Nanoseconds of the last digit.
        var unit: Int64 {
            switch self {
            case .fixed(let count): DecimalText.powers[9 - count]
            case .trimmed: 1
            }
        }
    }

    /// `2026-11-22T12:00:00.123456789` and a zone of up to six bytes.
    static let byteCountMax = 40
    static let zoneByteCountMax = 6

    struct Parsed {
        var nanoseconds: Int64
        var fractionCount: Int
        /// Whether the fraction ends in a zero.
        var endsInZero: Bool
        /// How long the text is without its zone.
        var byteCount: Int
    }

    /// Reads a time; nil where it would not come back: other forms, leap seconds, days that a month has not, years before 1970 or
    /// behind 2261, which 64 bits of nanoseconds do not hold.
    @inline(__always)
    static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Parsed? {
        guard text.count >= 20, text.count <= byteCountMax, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            text[10] == UInt8(ascii: "T"), text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":")
        else { return nil }
        var invalid: UInt8 = 0
        @inline(__always) func two(_ at: Int) -> Int64 {
            let (high, low) = (text[at] &- 0x30, text[at + 1] &- 0x30)
            invalid |= (high > 9 ? 1 : 0) | (low > 9 ? 1 : 0)
            return Int64(high) &* 10 &+ Int64(low)
        }
        let year = two(0) * 100 + two(2)
        let (month, day, hour, minute, second) = (two(5), two(8), two(11), two(14), two(17))
        guard invalid == 0, year >= 1970, year <= 2261, month >= 1, month <= 12, day >= 1, day <= dayCount(month, year), hour < 24, minute < 60,
            second < 60
        else { return nil }
        var index = 19
        var (fraction, fractionCount) = (Int64(0), 0)
        if text[19] == UInt8(ascii: ".") {
            index = 20
            while index < text.count, text[index] &- 0x30 < 10, fractionCount < 9 {
                fraction = fraction &* 10 &+ Int64(text[index] &- 0x30)
                index += 1
                fractionCount += 1
            }
            if fractionCount == 0 { return nil }
        }
        let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
        return Parsed(
            nanoseconds: seconds * 1_000_000_000 + fraction * DecimalText.powers[9 - fractionCount], fractionCount: fractionCount,
            endsInZero: fractionCount > 0 && text[index - 1] == 0x30, byteCount: index)
    }

    /// The calendar's part of a time, kept for the next row: rows of one day follow each other.
    struct Calendar {
        fileprivate var day = Int64.min
        fileprivate var text: (UInt64, UInt16) = (0, 0)

        init() {}
    }

    /// Writes a time without its zone.
    ///
    /// - Parameter nanoseconds: any; years beyond four digits wrap, which no column that was written holds.
    /// - Returns: how many bytes were written.
    ///
    /// SAFETY: `output` has room for ``byteCountMax`` bytes.
    @inline(__always)
    static func write(
        _ nanoseconds: Int64, _ style: Fraction, _ calendar: inout Calendar, to output: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        if rest < 0 {
            seconds -= 1
            rest += 1_000_000_000
        }
        var (day, second) = seconds.quotientAndRemainder(dividingBy: 86_400)
        if second < 0 {
            day -= 1
            second += 86_400
        }
        if day != calendar.day { calendar.set(day) }
        withUnsafeBytes(of: &calendar.text) { text in
            UnsafeMutableRawPointer(output).copyMemory(from: text.baseAddress!, byteCount: 10)
        }
        output[10] = UInt8(ascii: "T")
        put(second / 3600, output + 11)
        output[13] = UInt8(ascii: ":")
        put(second / 60 % 60, output + 14)
        output[16] = UInt8(ascii: ":")
        put(second % 60, output + 17)
        var count: Int
        switch style {
        case .fixed(let digits): count = digits
        case .trimmed: count = rest == 0 ? 0 : 9
        }
        if count == 0 { return 19 }
        output[19] = UInt8(ascii: ".")
        var value = rest / DecimalText.powers[9 - count]
        var position = 19 + count
        while position > 19 {
            output[position] = 0x30 &+ UInt8(truncatingIfNeeded: value % 10)
            value /= 10
            position -= 1
        }
        if style == .trimmed { while output[19 + count] == 0x30 { count -= 1 } }
        return 20 + count
    }

    @inline(__always)
    fileprivate static func put(_ value: Int64, _ output: UnsafeMutablePointer<UInt8>) {
        output[0] = 0x30 &+ UInt8(truncatingIfNeeded: value / 10)
        output[1] = 0x30 &+ UInt8(truncatingIfNeeded: value % 10)
    }

    private static func dayCount(_ month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = (year / 400, year % 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension TimeText.Calendar {
    fileprivate mutating func set(_ day: Int64) {
        self.day = day
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        withUnsafeMutableBytes(of: &text) { raw in
            raw.withMemoryRebound(to: UInt8.self) { bytes in
                guard let output = bytes.baseAddress else { return }
                TimeText.put(year / 100 % 100, output)
                TimeText.put(year % 100, output + 2)
                output[4] = UInt8(ascii: "-")
                TimeText.put(month, output + 5)
                output[7] = UInt8(ascii: "-")
                TimeText.put(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1, output + 8)
            }
        }
    }
}
