import Telemetry

/// UTC days, counted from the Unix epoch, and the names of their folders.
enum Days {
    /// The day that an instant falls on.
    static func number(of time: Int64, _ signal: Signal) -> Int64 {
        let unit = signal.unitsPerDay
        let (quotient, remainder) = time.quotientAndRemainder(dividingBy: unit)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// The first and last instant of a day; cut off where 64 bits end.
    static func range(_ day: Int64, _ signal: Signal) -> TimeRange {
        let (start, overflow) = day.multipliedReportingOverflow(by: signal.unitsPerDay)
        if overflow { return day < 0 ? TimeRange(.min, start &+ signal.unitsPerDay &- 1) : TimeRange(.max, .max) }
        let (end, endOverflow) = start.addingReportingOverflow(signal.unitsPerDay - 1)
        return TimeRange(start, endOverflow ? .max : end)
    }

    /// `2026-11-22` (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
    static func name(_ day: Int64) -> String {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * monthIndex + 2) / 5 + 1
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return pad(year, 4) + "-" + pad(month, 2) + "-" + pad(dayOfMonth, 2)
    }

    /// The day that a folder's name says; nil for any other name.
    static func number(named name: String) -> Int64? {
        let isNegative = name.hasPrefix("-")
        let parts = (isNegative ? name.dropFirst() : name[...]).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, var year = Int64(parts[0]), let month = Int64(parts[1]), let dayOfMonth = Int64(parts[2]),
            (1...12).contains(month), (1...31).contains(dayOfMonth), year < 1_000_000
        else { return nil }
        if isNegative { year = -year }
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + dayOfMonth - 1
        let day = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return self.name(day) == name ? day : nil
    }

    private static func pad(_ value: Int64, _ width: Int) -> String {
        let digits = String(value.magnitude)
        return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
