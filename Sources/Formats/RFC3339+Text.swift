extension RFC3339 {
    /// Go's zero time, which the peers' answers use for "not yet".
    package static let never = "0001-01-01T00:00:00Z"

    /// The timestamp in UTC with `digits` digits of fraction (0, 3, 6 or 9).
    package static func text(nanoseconds: Int64, digits: Int = 9) -> String {
        let seconds = nanoseconds.floorDivided(by: 1_000_000_000)
        let fraction = nanoseconds - seconds * 1_000_000_000
        let day = seconds.floorDivided(by: 86_400)
        let (year, month, dayOfMonth) = date(day: day)
        let rest = seconds - day * 86_400
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        var text = "\(year)-\(two(month))-\(two(dayOfMonth))T\(two(rest / 3_600)):\(two(rest / 60 % 60)):\(two(rest % 60))"
        if digits > 0 {
            let all = String(fraction)
            text += "." + (String(repeating: "0", count: 9 - all.count) + all).prefix(digits)
        }
        return text + "Z"
    }

    /// The date of a day since 1970-01-01 (Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
    private static func date(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
