package import Foundation

extension GoLayout {
    /// What a text says in this layout.
    package struct Fields: Sendable, Hashable {
        /// 0 where the layout has none, as in Go.
        package var year = 0
        package var month = 1
        package var day = 1
        var yearDay: Int?
        var hour = 0
        var minute = 0
        var second = 0
        var nanosecond: Int64 = 0
        /// Seconds east of Greenwich, where the text says so.
        var offset: Int?
        var zoneName: String?
        var isAfternoon: Bool?
    }

    /// The time that `text` says.
    ///
    /// - Parameters:
    ///   - zone: where it says no zone.
    ///   - defaultYear: where it says no year.
    /// - Returns: nanoseconds since the Unix epoch; nil where the text is not of this layout.
    package func parse(_ text: String, zone: TimeZone = .gmt, defaultYear: Int = 1970) -> Int64? {
        guard var fields = fields(of: text) else { return nil }
        if !hasYear { fields.year = defaultYear }
        return fields.nanoseconds(in: zone)
    }

    /// Reads a text; nil where it is not of this layout.
    package func fields(of text: String) -> Fields? {
        var reader = Reader(text)
        for (index, element) in elements.enumerated() {
            let next = index + 1 < elements.count ? elements[index + 1] : nil
            guard reader.read(element, next: next) else { return nil }
        }
        guard reader.rest.isEmpty else { return nil }
        return reader.checked
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>
        var fields = Fields()

        init(_ text: String) {
            rest = Array(text.utf8)[...]
        }

        /// The fields, if they make a date.
        var checked: Fields? {
            var fields = fields
            if let isAfternoon = fields.isAfternoon {
                if isAfternoon, fields.hour < 12 { fields.hour += 12 }
                if !isAfternoon, fields.hour == 12 { fields.hour = 0 }
            }
            if let yearDay = fields.yearDay {
                let date = Calendar.date(Calendar.days(fields.year, 1, 1) + Int64(yearDay) - 1)
                guard yearDay >= 1, date.year == fields.year else { return nil }
                (fields.month, fields.day) = (date.month, date.day)
            }
            guard (1...Calendar.dayCount(fields.year, fields.month)).contains(fields.day) else { return nil }
            return fields
        }

        mutating func read(_ element: Element, next: Element?) -> Bool {
            switch element {
            case .literal(let bytes): return skip(bytes)
            case .longMonth: return name(GoLayout.months, nil) { $0.month = $1 + 1 }
            case .shortMonth: return name(GoLayout.months, 3) { $0.month = $1 + 1 }
            case .longWeekday: return name(GoLayout.weekdays, nil) { _, _ in }
            case .shortWeekday: return name(GoLayout.weekdays, 3) { _, _ in }
            case .month: return number(isFixed: false, 1...12) { $0.month = $1 }
            case .paddedMonth: return number(isFixed: true, 1...12) { $0.month = $1 }
            case .day: return number(isFixed: false, 0...99) { $0.day = $1 }
            case .spacedDay:
                if rest.first == 0x20 { rest.removeFirst() }
                return number(isFixed: false, 0...99) { $0.day = $1 }
            case .paddedDay: return number(isFixed: true, 0...99) { $0.day = $1 }
            case .spacedYearDay:
                for _ in 0..<2 where rest.first == 0x20 { rest.removeFirst() }
                return digits(1...3, 1...366) { $0.yearDay = $1 }
            case .paddedYearDay: return digits(3...3, 1...366) { $0.yearDay = $1 }
            case .hour: return number(isFixed: false, 0...23) { $0.hour = $1 }
            case .hour12: return number(isFixed: false, 0...12) { $0.hour = $1 }
            case .paddedHour12: return number(isFixed: true, 0...12) { $0.hour = $1 }
            case .minute: return number(isFixed: false, 0...59) { $0.minute = $1 }
            case .paddedMinute: return number(isFixed: true, 0...59) { $0.minute = $1 }
            case .second: return seconds(isFixed: false, next: next)
            case .paddedSecond: return seconds(isFixed: true, next: next)
            case .longYear: return digits(4...4, 0...9999) { $0.year = $1 }
            case .shortYear: return digits(2...2, 0...99) { $0.year = $1 >= 69 ? 1900 + $1 : 2000 + $1 }
            case .upperPM: return half("AM", "PM")
            case .lowerPM: return half("am", "pm")
            case .zoneName: return zoneName()
            case .zone(let isZ, let hasColon, let parts): return zone(isZ: isZ, hasColon: hasColon, parts: parts)
            case .fraction(_, let count, let isFixed): return fraction(count: isFixed ? count : nil)
            }
        }

        /// Blanks match any number of blanks; everything else itself.
        private mutating func skip(_ bytes: [UInt8]) -> Bool {
            var literal = bytes[...]
            while let byte = literal.first {
                if byte == 0x20 {
                    if let first = rest.first, first != 0x20 { return false }
                    literal = literal.drop { $0 == 0x20 }
                    rest = rest.drop { $0 == 0x20 }
                    continue
                }
                guard rest.first == byte else { return false }
                literal.removeFirst()
                rest.removeFirst()
            }
            return true
        }

        private mutating func digits(_ count: ClosedRange<Int>, _ range: ClosedRange<Int>, _ set: (inout Fields, Int) -> Void) -> Bool {
            let text = rest.prefix(count.upperBound).prefix { (0x30...0x39).contains($0) }
            guard text.count >= count.lowerBound else { return false }
            let value = text.reduce(0) { $0 * 10 + Int($1 - 0x30) }
            guard range.contains(value) else { return false }
            rest = rest.dropFirst(text.count)
            set(&fields, value)
            return true
        }

        private mutating func number(isFixed: Bool, _ range: ClosedRange<Int>, _ set: (inout Fields, Int) -> Void) -> Bool {
            digits(isFixed ? 2...2 : 1...2, range, set)
        }

        private mutating func name(_ names: [String], _ length: Int?, _ set: (inout Fields, Int) -> Void) -> Bool {
            for (index, name) in names.enumerated() {
                let wanted = Array((length.map { String(name.prefix($0)) } ?? name).utf8)
                guard rest.count >= wanted.count, zip(rest, wanted).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) else { continue }
                rest = rest.dropFirst(wanted.count)
                set(&fields, index)
                return true
            }
            return false
        }

        /// A fraction may follow the seconds even where the layout has none.
        private mutating func seconds(isFixed: Bool, next: Element?) -> Bool {
            guard number(isFixed: isFixed, 0...59, { $0.second = $1 }) else { return false }
            if case .fraction = next { return true }
            return fraction(count: nil)
        }

        /// - Parameter count: exactly so many digits; nil: any number of them, or no fraction at all.
        private mutating func fraction(count: Int?) -> Bool {
            let text = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
            guard let mark = rest.first, mark == UInt8(ascii: ".") || mark == UInt8(ascii: ","), !text.isEmpty else { return count == nil }
            if let count, text.count < count { return false }
            let digits = text.prefix(count ?? text.count)
            var value: Int64 = 0
            for digit in digits.prefix(9) { value = value * 10 + Int64(digit - 0x30) }
            for _ in 0..<max(0, 9 - digits.count) { value *= 10 }
            fields.nanosecond = value
            rest = rest.dropFirst(1 + digits.count)
            return true
        }

        private mutating func half(_ morning: String, _ afternoon: String) -> Bool {
            let isAfternoon = rest.starts(with: afternoon.utf8)
            guard isAfternoon || rest.starts(with: morning.utf8) else { return false }
            fields.isAfternoon = isAfternoon
            rest = rest.dropFirst(2)
            return true
        }

        private mutating func zone(isZ: Bool, hasColon: Bool, parts: Int) -> Bool {
            if isZ, rest.first == UInt8(ascii: "Z") {
                rest.removeFirst()
                fields.offset = 0
                return true
            }
            guard let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return false }
            rest.removeFirst()
            var values: [Int] = []
            for part in 0..<parts {
                if part > 0, hasColon {
                    guard rest.first == UInt8(ascii: ":") else { return false }
                    rest.removeFirst()
                }
                guard digits(2...2, 0...(part == 0 ? 24 : 59), { _, value in values.append(value) }) else { return false }
            }
            let seconds = zip(values, [3600, 60, 1]).reduce(0) { $0 + $1.0 * $1.1 }
            fields.offset = sign == UInt8(ascii: "-") ? -seconds : seconds
            return true
        }

        private mutating func zoneName() -> Bool {
            if rest.starts(with: "UTC".utf8) {
                rest = rest.dropFirst(3)
                fields.offset = 0
                return true
            }
            for special in ["ChST", "MeST"] where rest.starts(with: special.utf8) {
                rest = rest.dropFirst(4)
                fields.zoneName = special
                return true
            }
            var count: Int
            if rest.starts(with: "GMT".utf8) || rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") {
                count = rest.first == UInt8(ascii: "G") ? 3 : 0
                if let sign = rest.dropFirst(count).first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                    let hours = rest.dropFirst(count + 1).prefix(2).prefix { (0x30...0x39).contains($0) }
                    if !hours.isEmpty { count += 1 + hours.count }
                }
                guard count > 0 else { return false }
            } else {
                count = rest.prefix(6).prefix { (0x41...0x5a).contains($0) }.count
                let last = count > 0 ? rest[rest.startIndex + count - 1] : 0
                // Three letters, or four or five that end in T (Go, `parseTimeZone`).
                guard count == 3 || ((count == 4 || count == 5) && last == UInt8(ascii: "T")) else { return false }
            }
            fields.zoneName = String(decoding: rest.prefix(count), as: UTF8.self)
            rest = rest.dropFirst(count)
            return true
        }
    }
}

extension GoLayout.Fields {
    /// Nanoseconds since the Unix epoch; nil beyond the years that they can tell (1678 to 2261).
    ///
    /// - Parameter zone: where the text names none.
    package func nanoseconds(in zone: TimeZone) -> Int64? {
        let local = Calendar.days(year, month, day) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
        let (whole, overflows) = (local - Int64(shift(local, zone))).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, sumOverflows) = whole.addingReportingOverflow(nanosecond)
        return overflows || sumOverflows ? nil : sum
    }

    /// Seconds between that clock and Greenwich's.
    private func shift(_ local: Int64, _ zone: TimeZone) -> Int {
        if let offset { return offset }
        func seconds(at time: Int64) -> Int { zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(time))) }
        let first = seconds(at: local)
        let offset = first == 0 ? 0 : seconds(at: local - Int64(first))
        guard let zoneName else { return offset }
        // Go knows the abbreviations of the zone itself and takes all others for UTC; here a zone's clock is the zone's, whatever it is
        // called, but for the names of UTC.
        return zoneName.hasPrefix("GMT") ? 0 : offset
    }
}
