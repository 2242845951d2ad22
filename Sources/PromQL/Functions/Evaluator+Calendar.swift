import Query
import Telemetry

/// The calendar functions, by name. All of them take UTC.
enum CalendarPart: String, Sendable {
    case minute, hour, month, year
    case dayOfWeek = "day_of_week"
    case dayOfMonth = "day_of_month"
    case dayOfYear = "day_of_year"
    case daysInMonth = "days_in_month"

    /// The part of an instant given in seconds.
    func value(_ seconds: Double) -> Double {
        var whole = Int64(exactly: seconds.rounded(.towardZero)) ?? .min
        // What is no number of seconds, NaN among it, is the end of time: so Go's conversion comes out on x86-64.
        if whole == .min { whole = .max }
        let (quotient, remainder) = whole.quotientAndRemainder(dividingBy: 86_400)
        let (day, second) = remainder < 0 ? (quotient - 1, remainder + 86_400) : (quotient, remainder)
        let date = Self.date(day)
        switch self {
        case .minute: return Double(second / 60 % 60)
        case .hour: return Double(second / 3600)
        case .dayOfWeek: return Double(((day + 4) % 7 + 7) % 7)
        case .dayOfMonth: return Double(date.day)
        case .dayOfYear: return Double(day - Self.day(date.year, 1, 1) + 1)
        case .daysInMonth:
            let next = date.month == 12 ? Self.day(date.year + 1, 1, 1) : Self.day(date.year, date.month + 1, 1)
            return Double(next - Self.day(date.year, date.month, 1))
        case .month: return Double(date.month)
        case .year: return Double(date.year)
        }
    }

    /// Year, month and day of a day counted from 1970-01-01 (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func date(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func day(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Evaluator {
    func calendar(_ part: CalendarPart, _ arguments: [PromQLExpression], _ steps: Steps) async throws(QueryError)
        -> [Series]
    {
        guard let argument = arguments.first else {
            return [Series(labels: .empty, values: (0..<steps.count).map { part.value(Double(steps.time($0)) / 1000) })]
        }
        var result: [Series] = []
        for var series in try await vector(argument, steps) {
            series.histograms = []
            for step in 0..<steps.count where !Absent.holds(series.values[step]) {
                series.values[step] = part.value(series.values[step])
            }
            guard !series.isEmpty else { continue }
            dropName(&series)
            result.append(series)
        }
        return try result.merged()
    }
}
