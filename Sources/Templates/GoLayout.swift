/// A layout of Go's `time` package: the reference time `Mon Jan 2 15:04:05 MST 2006` written as a time should look
/// (Go, time/format.go).
package struct GoLayout: Sendable, Hashable {
    enum Element: Sendable, Hashable {
        case literal([UInt8])
        case longMonth, shortMonth, month, paddedMonth
        case longWeekday, shortWeekday
        case day, spacedDay, paddedDay, spacedYearDay, paddedYearDay
        case hour, hour12, paddedHour12, minute, paddedMinute, second, paddedSecond
        case longYear, shortYear
        case upperPM, lowerPM
        case zoneName
        /// `Z07:00` and its like (`Z` for UTC), or `-07:00`.
        case zone(isZ: Bool, hasColon: Bool, parts: Int)
        /// `.000` (exactly so many digits), or `.999` (as many as there are).
        case fraction(separator: UInt8, digits: Int, isFixed: Bool)
    }

    package let text: String
    let elements: [Element]

    package init(_ text: String) {
        self.text = text
        elements = Self.split(Array(text.utf8))
    }

    /// Whether it says the year.
    package var hasYear: Bool { elements.contains { $0 == .longYear || $0 == .shortYear } }

    /// Go's named layouts.
    package static let named: [String: GoLayout] = [
        "ANSIC": GoLayout("Mon Jan _2 15:04:05 2006"), "UnixDate": GoLayout("Mon Jan _2 15:04:05 MST 2006"),
        "RubyDate": GoLayout("Mon Jan 02 15:04:05 -0700 2006"), "RFC822": GoLayout("02 Jan 06 15:04 MST"),
        "RFC822Z": GoLayout("02 Jan 06 15:04 -0700"), "RFC850": GoLayout("Monday, 02-Jan-06 15:04:05 MST"),
        "RFC1123": GoLayout("Mon, 02 Jan 2006 15:04:05 MST"), "RFC1123Z": GoLayout("Mon, 02 Jan 2006 15:04:05 -0700"),
        "RFC3339": GoLayout("2006-01-02T15:04:05Z07:00"), "RFC3339Nano": GoLayout("2006-01-02T15:04:05.999999999Z07:00"),
    ]

    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]
    static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// What stands for itself, longest first where one begins like another.
    private static let spellings: [(String, Element)] = [
        ("January", .longMonth), ("Monday", .longWeekday), ("MST", .zoneName), ("2006", .longYear), ("002", .paddedYearDay),
        ("__2", .spacedYearDay), ("01", .paddedMonth), ("02", .paddedDay), ("03", .paddedHour12), ("04", .paddedMinute),
        ("05", .paddedSecond), ("06", .shortYear), ("15", .hour), ("_2", .spacedDay), ("PM", .upperPM), ("pm", .lowerPM),
        ("-070000", .zone(isZ: false, hasColon: false, parts: 3)), ("-07:00:00", .zone(isZ: false, hasColon: true, parts: 3)),
        ("-0700", .zone(isZ: false, hasColon: false, parts: 2)), ("-07:00", .zone(isZ: false, hasColon: true, parts: 2)),
        ("-07", .zone(isZ: false, hasColon: false, parts: 1)), ("Z070000", .zone(isZ: true, hasColon: false, parts: 3)),
        ("Z07:00:00", .zone(isZ: true, hasColon: true, parts: 3)), ("Z0700", .zone(isZ: true, hasColon: false, parts: 2)),
        ("Z07:00", .zone(isZ: true, hasColon: true, parts: 2)), ("Z07", .zone(isZ: true, hasColon: false, parts: 1)),
        ("1", .month), ("2", .day), ("3", .hour12), ("4", .minute), ("5", .second),
    ]
    private static let words: [(text: [UInt8], element: Element)] = spellings.map { (text: Array($0.0.utf8), element: $0.1) }

    private static func split(_ bytes: [UInt8]) -> [Element] {
        var elements: [Element] = []
        var literal: [UInt8] = []
        func isDigit(_ index: Int) -> Bool { index < bytes.count && (0x30...0x39).contains(bytes[index]) }
        func add(_ element: Element) {
            if !literal.isEmpty { elements.append(.literal(literal)) }
            literal = []
            elements.append(element)
        }
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            let rest = bytes[index...]
            if byte == UInt8(ascii: ".") || byte == UInt8(ascii: ","), isDigit(index + 1), [0x30, 0x39].contains(bytes[index + 1]) {
                let run = bytes[(index + 1)...].prefix { $0 == bytes[index + 1] }.count
                if !isDigit(index + 1 + run) {
                    add(.fraction(separator: byte, digits: run, isFixed: bytes[index + 1] == 0x30))
                    index += 1 + run
                    continue
                }
            }
            // `Jan` and `Mon` stand alone: `Month` is no day of the week.
            let next = index + 3 < bytes.count ? bytes[index + 3] : 0
            let isWord = (0x61...0x7a).contains(next)
            if rest.starts(with: "_2006".utf8) {
                literal.append(byte)
                index += 1
            } else if let word = words.first(where: { rest.starts(with: $0.text) }) {
                add(word.element)
                index += word.text.count
            } else if rest.starts(with: "Jan".utf8), !isWord {
                add(.shortMonth)
                index += 3
            } else if rest.starts(with: "Mon".utf8), !isWord {
                add(.shortWeekday)
                index += 3
            } else {
                literal.append(byte)
                index += 1
            }
        }
        if !literal.isEmpty { elements.append(.literal(literal)) }
        return elements
    }
}

/// The calendar (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
enum Calendar {
    static func floorDivide(_ value: Int64, _ divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// The date that lies so many days behind 1970-01-01.
    static func date(_ days: Int64) -> (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)), Int(month), Int(dayOfYear - (153 * shifted + 2) / 5 + 1))
    }

    /// Days from 1970-01-01 to a date; a day beyond its month's last counts on.
    static func days(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
        let shiftedYear = Int64(month <= 2 ? year - 1 : year)
        let (era, yearOfEra) = floorDivide(shiftedYear, 400)
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func dayCount(_ year: Int, _ month: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }
}
