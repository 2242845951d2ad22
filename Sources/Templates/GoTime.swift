package import Foundation

/// Times in Go's layouts, for templates.
package enum GoTime {
    /// The zone of that name; nil where there is none. `Local` is UTC: a server's own zone says nothing.
    package static func zone(_ name: String) -> TimeZone? {
        name.isEmpty || name == "Local" || name == "UTC" ? .gmt : TimeZone(identifier: name)
    }

    /// Nil where `zone` is no time zone.
    package static func text(_ nanoseconds: Int64, layout: String, zone name: String = "UTC") -> String? {
        zone(name).map { GoLayout(layout).text(nanoseconds, zone: $0) }
    }

    /// Nanoseconds since the epoch; nil where `text` is not of that layout.
    package static func parse(_ text: String, layout: String, zone name: String = "UTC") -> Int64? {
        zone(name).flatMap { GoLayout(layout).parse(text, zone: $0) }
    }
}

extension GoLayout {
    /// A time in this layout.
    ///
    /// - Parameter nanoseconds: since the Unix epoch.
    package func text(_ nanoseconds: Int64, zone: TimeZone = .gmt) -> String {
        let (seconds, fraction) = Calendar.floorDivide(nanoseconds, 1_000_000_000)
        let date = Date(timeIntervalSince1970: Double(seconds))
        let offset = zone.secondsFromGMT(for: date)
        let (dayNumber, secondOfDay) = Calendar.floorDivide(seconds + Int64(offset), 86_400)
        let (year, month, day) = Calendar.date(dayNumber)
        let weekday = Int(((dayNumber % 7) + 11) % 7)
        let yearDay = dayNumber - Calendar.days(year, 1, 1) + 1
        let (hour, minute, second) = (secondOfDay / 3600, secondOfDay / 60 % 60, secondOfDay % 60)
        func padded(_ value: Int64, _ width: Int, _ pad: Character = "0") -> String {
            let text = String(value)
            return String(repeating: pad, count: max(0, width - text.count)) + text
        }
        func offsetText(_ colon: String, _ parts: Int) -> String {
            let magnitude = Int64(abs(offset))
            let values = [magnitude / 3600, magnitude / 60 % 60, magnitude % 60].prefix(parts)
            return (offset < 0 ? "-" : "+") + values.map { padded($0, 2) }.joined(separator: colon)
        }
        var result = ""
        for element in elements {
            switch element {
            case .literal(let bytes): result += String(decoding: bytes, as: UTF8.self)
            case .longMonth: result += Self.months[month - 1]
            case .shortMonth: result += Self.months[month - 1].prefix(3)
            case .month: result += String(month)
            case .paddedMonth: result += padded(Int64(month), 2)
            case .longWeekday: result += Self.weekdays[weekday]
            case .shortWeekday: result += Self.weekdays[weekday].prefix(3)
            case .day: result += String(day)
            case .spacedDay: result += padded(Int64(day), 2, " ")
            case .paddedDay: result += padded(Int64(day), 2)
            case .spacedYearDay: result += padded(yearDay, 3, " ")
            case .paddedYearDay: result += padded(yearDay, 3)
            case .hour: result += padded(hour, 2)
            case .hour12: result += String((hour + 11) % 12 + 1)
            case .paddedHour12: result += padded((hour + 11) % 12 + 1, 2)
            case .minute: result += String(minute)
            case .paddedMinute: result += padded(minute, 2)
            case .second: result += String(second)
            case .paddedSecond: result += padded(second, 2)
            case .longYear: result += padded(Int64(year), 4)
            case .shortYear: result += padded(Int64(year % 100), 2)
            case .upperPM: result += hour < 12 ? "AM" : "PM"
            case .lowerPM: result += hour < 12 ? "am" : "pm"
            case .zoneName: result += offset == 0 ? "UTC" : zone.abbreviation(for: date) ?? offsetText("", 2)
            case .zone(let isZ, let hasColon, let parts):
                result += isZ && offset == 0 ? "Z" : offsetText(hasColon ? ":" : "", parts)
            case .fraction(let separator, let digits, let isFixed):
                var text = String(padded(fraction, 9).prefix(digits))
                if !isFixed { while text.hasSuffix("0") { text.removeLast() } }
                if !text.isEmpty { result += String(decoding: [separator], as: UTF8.self) + text }
            }
        }
        return result
    }
}
