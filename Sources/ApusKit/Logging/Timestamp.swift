/// Writes a time as RFC 3339 in UTC with nanoseconds.
package enum Timestamp {
    /// - Parameter nanoseconds: since the Unix epoch.
    package static func text(nanoseconds: UInt64) -> String {
        let seconds = Int(nanoseconds / 1_000_000_000)
        let (year, month, day) = date(daysSinceEpoch: seconds / 86_400)
        let second = seconds % 86_400
        var text = ""
        text.reserveCapacity(30)
        append(year, digits: 4, then: "-", to: &text)
        append(month, digits: 2, then: "-", to: &text)
        append(day, digits: 2, then: "T", to: &text)
        append(second / 3600, digits: 2, then: ":", to: &text)
        append(second / 60 % 60, digits: 2, then: ":", to: &text)
        append(second % 60, digits: 2, then: ".", to: &text)
        append(Int(nanoseconds % 1_000_000_000), digits: 9, then: "Z", to: &text)
        return text
    }

    /// The civil date of a day: years are counted from 1 March, so that the leap day comes last.
    /// - SeeAlso: Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    private static func date(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
        let days = daysSinceEpoch + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private static func append(_ number: Int, digits: Int, then separator: Character, to text: inout String) {
        let decimal = String(number)
        for _ in 0..<max(0, digits - decimal.utf8.count) { text.append("0") }
        text += decimal
        text.append(separator)
    }
}
