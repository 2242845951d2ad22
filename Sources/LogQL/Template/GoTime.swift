import Foundation

/// Times in Go's layouts: the reference time `Mon Jan 2 15:04:05 MST 2006` written as the result should look.
enum GoTime {
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]
    private static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// The parts of a layout, longest first where one begins like another.
    private static let parts = [
        "January", "Monday", "2006", "-07:00", "-0700", "Z07:00", "Z0700", "Jan", "Mon", "MST", "01", "02", "03", "04", "05", "06", "15",
        "_2",
        "PM", "pm", "-07", "1", "2", "3", "4", "5",
    ]

    /// The predefined layouts' names stand for themselves in templates; a layout is always text.
    private static func split(_ layout: String) -> [(part: String, isLiteral: Bool)] {
        var result: [(String, Bool)] = []
        var rest = layout[...]
        while !rest.isEmpty {
            if let first = rest.first, first == "." || first == "," {
                let digits = rest.dropFirst().prefix { $0 == "0" }
                let nines = rest.dropFirst().prefix { $0 == "9" }
                let run = digits.isEmpty ? nines : digits
                if !run.isEmpty, rest.dropFirst(run.count + 1).first?.isNumber != true {
                    result.append((String(rest.prefix(run.count + 1)), false))
                    rest = rest.dropFirst(run.count + 1)
                    continue
                }
            }
            if let part = parts.first(where: { rest.hasPrefix($0) }) {
                result.append((part, false))
                rest = rest.dropFirst(part.count)
            } else {
                result.append((String(rest.removeFirst()), true))
            }
        }
        return result
    }

    /// Nil where `zone` is no time zone.
    static func text(_ nanoseconds: Int64, layout: String, zone name: String = "UTC") -> String? {
        guard let zone = TimeZone(identifier: name == "Local" || name.isEmpty ? "UTC" : name) else { return nil }
        let (seconds, fraction) = floorDivide(nanoseconds, 1_000_000_000)
        let date = Date(timeIntervalSince1970: Double(seconds))
        let offset = zone.secondsFromGMT(for: date)
        let local = seconds + Int64(offset)
        let (dayNumber, secondOfDay) = floorDivide(local, 86_400)
        let (year, month, day) = civil(dayNumber)
        let weekday = Int(((dayNumber % 7) + 11) % 7)
        let (hour, minute, second) = (secondOfDay / 3600, secondOfDay / 60 % 60, secondOfDay % 60)
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        func offsetText(_ colon: String) -> String {
            let magnitude = Int64(abs(offset))
            return (offset < 0 ? "-" : "+") + two(magnitude / 3600) + colon + two(magnitude / 60 % 60)
        }
        var result = ""
        for (part, isLiteral) in split(layout) {
            if isLiteral {
                result += part
                continue
            }
            switch part {
            case "January": result += months[month - 1]
            case "Jan": result += months[month - 1].prefix(3)
            case "Monday": result += days[weekday]
            case "Mon": result += days[weekday].prefix(3)
            case "2006": result += String(format: "%04d", year)
            case "06": result += two(Int64(year % 100))
            case "01": result += two(Int64(month))
            case "1": result += String(month)
            case "02": result += two(Int64(day))
            case "_2": result += day < 10 ? " \(day)" : "\(day)"
            case "2": result += String(day)
            case "15": result += two(hour)
            case "03": result += two((hour + 11) % 12 + 1)
            case "3": result += String((hour + 11) % 12 + 1)
            case "04": result += two(minute)
            case "4": result += String(minute)
            case "05": result += two(second)
            case "5": result += String(second)
            case "PM": result += hour < 12 ? "AM" : "PM"
            case "pm": result += hour < 12 ? "am" : "pm"
            case "MST": result += offset == 0 ? "UTC" : zone.abbreviation(for: date) ?? offsetText("")
            case "-0700": result += offsetText("")
            case "-07:00": result += offsetText(":")
            case "-07": result += String(offsetText("").prefix(3))
            case "Z0700": result += offset == 0 ? "Z" : offsetText("")
            case "Z07:00": result += offset == 0 ? "Z" : offsetText(":")
            default: result += fractionText(fraction, part)
            }
        }
        return result
    }

    private static func fractionText(_ nanoseconds: Int64, _ part: String) -> String {
        let digits = String(String(1_000_000_000 + nanoseconds).dropFirst().prefix(part.count - 1))
        guard part.hasSuffix("9") else { return String(part.prefix(1)) + digits }
        var trimmed = digits
        while trimmed.hasSuffix("0") { trimmed.removeLast() }
        return trimmed.isEmpty ? "" : String(part.prefix(1)) + trimmed
    }

    /// Nanoseconds since the epoch; nil where `text` is not of that layout.
    static func parse(_ text: String, layout: String, zone zoneName: String = "UTC") -> Int64? {
        guard let zone = TimeZone(identifier: zoneName.isEmpty || zoneName == "Local" ? "UTC" : zoneName) else { return nil }
        var (year, month, day, hour, minute, second, fraction) = (1970, 1, 1, 0, 0, 0, Int64(0))
        var offset: Int?
        var isAfternoon: Bool?
        var rest = text[...]
        func number(_ countMax: Int) -> Int? {
            let digits = rest.prefix(countMax).prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            return Int(digits)
        }
        func name(_ names: [String], _ length: Int?) -> Int? {
            guard let index = names.firstIndex(where: { rest.hasPrefix(length.map($0.prefix) ?? $0[...]) }) else { return nil }
            rest = rest.dropFirst(length ?? names[index].count)
            return index
        }
        for (part, isLiteral) in split(layout) {
            if isLiteral {
                guard rest.hasPrefix(part) else { return nil }
                rest = rest.dropFirst(part.count)
                continue
            }
            let value: Int?
            switch part {
            case "January":
                value = name(months, nil).map {
                    month = $0 + 1
                    return month
                }
            case "Jan":
                value = name(months, 3).map {
                    month = $0 + 1
                    return month
                }
            case "Monday": value = name(days, nil)
            case "Mon": value = name(days, 3)
            case "2006":
                value = number(4).map {
                    year = $0
                    return $0
                }
            case "06":
                value = number(2).map {
                    year = $0 < 69 ? 2000 + $0 : 1900 + $0
                    return $0
                }
            case "01", "1":
                value = number(2).map {
                    month = $0
                    return $0
                }
            case "02", "2", "_2":
                rest = rest.drop { $0 == " " }
                value = number(2).map {
                    day = $0
                    return $0
                }
            case "15", "03", "3":
                value = number(2).map {
                    hour = $0
                    return $0
                }
            case "04", "4":
                value = number(2).map {
                    minute = $0
                    return $0
                }
            case "05", "5":
                value = number(2).map {
                    second = $0
                    return $0
                }
                // Go takes a fraction behind the seconds even where the layout has none.
                if let mark = rest.first, mark == ".", !layout.contains("05.") { fraction = readFraction(&rest) }
            case "PM", "pm":
                let mark = rest.prefix(2).lowercased()
                rest = rest.dropFirst(2)
                isAfternoon = mark == "pm"
                value = mark == "pm" || mark == "am" ? 0 : nil
            case "MST":
                rest = rest.drop { $0.isLetter }
                value = 0
            case "-0700", "-07:00", "-07", "Z0700", "Z07:00":
                value = readOffset(&rest).map {
                    offset = $0
                    return $0
                }
            default:
                if rest.first == "." || rest.first == "," { fraction = readFraction(&rest) }
                value = 0
            }
            guard value != nil else { return nil }
        }
        guard rest.isEmpty, (1...12).contains(month), (1...31).contains(day), hour < 25, minute < 60, second < 61 else { return nil }
        if let isAfternoon { hour = hour % 12 + (isAfternoon ? 12 : 0) }
        let local = dayNumber(year, month, day) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
        let shift = offset ?? zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(local)))
        let (nanoseconds, overflow) = (local - Int64(shift)).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? nil : nanoseconds &+ fraction
    }

    private static func readFraction(_ rest: inout Swift.Substring) -> Int64 {
        rest = rest.dropFirst()
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        return Int64((digits + String(repeating: "0", count: 9)).prefix(9)) ?? 0
    }

    private static func readOffset(_ rest: inout Swift.Substring) -> Int? {
        if rest.first == "Z" {
            rest = rest.dropFirst()
            return 0
        }
        guard let sign = rest.first, sign == "+" || sign == "-" else { return nil }
        let text = rest.dropFirst().prefix { $0.isNumber || $0 == ":" }
        rest = rest.dropFirst(text.count + 1)
        let digits = text.filter { $0 != ":" }
        guard digits.count == 4 || digits.count == 2, let value = Int(digits) else { return nil }
        let seconds = digits.count == 2 ? value * 3600 : value / 100 * 3600 + value % 100 * 60
        return sign == "-" ? -seconds : seconds
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// Days since the epoch to a date, and back (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func civil(_ days: Int64) -> (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)), Int(month), Int(dayOfYear - (153 * shifted + 2) / 5 + 1))
    }

    private static func dayNumber(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
        let shiftedYear = Int64(month <= 2 ? year - 1 : year)
        let (era, yearOfEra) = floorDivide(shiftedYear, 400)
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
