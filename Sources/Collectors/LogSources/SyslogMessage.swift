import Formats
import Telemetry

/// A syslog message: RFC 5424, or RFC 3164 as BSD's daemons and most devices write it.
struct SyslogMessage: Equatable {
    struct Parameter: Equatable {
        /// The id of the element (`exampleSDID@32473`), the parameter's name and its value.
        var element: String
        var name: String
        var value: String
    }

    var priority: Int
    /// Nanoseconds since the Unix epoch.
    var timestamp: Int64?
    /// nil: `-`, or not there.
    var hostname: String?
    var appName: String?
    var procID: String?
    var msgID: String?
    var structuredData: [Parameter] = []
    var message: String?

    /// Names of the severities and facilities, by number (RFC 5424, 6.2.1).
    private static let severities = ["emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"]
    private static let facilities = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "security",
        "console", "solaris-cron", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ]

    var severity: String { Self.severities[priority % 8] }
    var facility: String { priority / 8 < Self.facilities.count ? Self.facilities[priority / 8] : String(priority / 8) }

    /// Why a message cannot be read.
    struct Malformed: Error, Equatable, CustomStringConvertible {
        var offset: Int
        var expected: String

        var description: String { "expected \(expected) at byte \(offset)" }
    }

    // MARK: RFC 5424

    /// Reads `<165>1 2003-10-11T22:14:15.003Z host app proc msgid [id name="value"] text`.
    static func rfc5424(_ bytes: [UInt8]) throws(Malformed) -> SyslogMessage {
        var reader = SyslogReader(bytes)
        var message = SyslogMessage(priority: try reader.priority())
        guard let version = reader.word(byteCountMax: 3), let number = Int(version), (1...999).contains(number) else {
            throw Malformed(offset: reader.offset, expected: "the version")
        }
        let start = reader.offset
        let time = reader.word(byteCountMax: 64)
        if let time, time != "-" {
            guard let timestamp = RFC3339.nanoseconds(Array(time.utf8)) else {
                throw Malformed(offset: start, expected: "a timestamp as in RFC 3339")
            }
            message.timestamp = timestamp
        }
        func field(_ name: String) throws(Malformed) -> String? {
            guard let word = reader.word(byteCountMax: 255) else { throw Malformed(offset: reader.offset, expected: "the \(name)") }
            return word == "-" ? nil : word
        }
        message.hostname = try field("host's name")
        message.appName = try field("application's name")
        message.procID = try field("process id")
        message.msgID = try field("message id")
        message.structuredData = try reader.structuredData()
        reader.skip(UInt8(ascii: " "))
        let text = reader.rest
        if !text.isEmpty { message.message = text }
        return message
    }

    // MARK: RFC 3164

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Reads `<34>Oct 11 22:14:15 host app[123]: text`. A part that is missing is left out: what follows is text.
    ///
    /// - Parameter now: nanoseconds since the Unix epoch: such a time has no year.
    static func rfc3164(_ bytes: [UInt8], now: Int64) throws(Malformed) -> SyslogMessage {
        var reader = SyslogReader(bytes)
        var message = SyslogMessage(priority: try reader.priority())
        if let time = reader.bsdTime(now: now, months: months) {
            message.timestamp = time
            message.hostname = reader.word(byteCountMax: 255)
        }
        if let (name, procID) = reader.tag() { (message.appName, message.procID) = (name, procID) }
        let text = reader.rest
        if !text.isEmpty { message.message = text }
        return message
    }
}

/// Walks the bytes of a message.
struct SyslogReader {
    private let bytes: [UInt8]
    private(set) var offset = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private var byte: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    mutating func skip(_ byte: UInt8) {
        if self.byte == byte { offset += 1 }
    }

    /// What is left, without the byte order mark that RFC 5424 puts before UTF-8, and without white space at its end.
    var rest: String {
        var rest = bytes[min(offset, bytes.count)...]
        if rest.starts(with: [0xef, 0xbb, 0xbf]) { rest.removeFirst(3) }
        while let last = rest.last, last == 0x0a || last == 0x0d || last == 0 { rest.removeLast() }
        return String(decoding: rest, as: UTF8.self)
    }

    /// `<0>` to `<191>`.
    mutating func priority() throws(SyslogMessage.Malformed) -> Int {
        guard byte == UInt8(ascii: "<") else { throw SyslogMessage.Malformed(offset: offset, expected: "<") }
        offset += 1
        let start = offset
        var value = 0
        while let byte, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), offset - start < 3 {
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
            offset += 1
        }
        guard offset > start, value <= 191, byte == UInt8(ascii: ">") else {
            throw SyslogMessage.Malformed(offset: offset, expected: "a priority of 0 to 191 and >")
        }
        offset += 1
        return value
    }

    /// The bytes up to a blank, and moves behind that; nil where there are none or too many.
    mutating func word(byteCountMax: Int) -> String? {
        let start = offset
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: " ") { end += 1 }
        guard end > start, end - start <= byteCountMax else { return nil }
        offset = end < bytes.count ? end + 1 : end
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// `-`, or elements `[id name="value" …]` one after the other.
    mutating func structuredData() throws(SyslogMessage.Malformed) -> [SyslogMessage.Parameter] {
        if byte == UInt8(ascii: "-") {
            offset += 1
            return []
        }
        var parameters: [SyslogMessage.Parameter] = []
        guard byte == UInt8(ascii: "[") else { throw SyslogMessage.Malformed(offset: offset, expected: "structured data or -") }
        while byte == UInt8(ascii: "[") {
            offset += 1
            let element = try name("an element's id")
            while byte == UInt8(ascii: " ") {
                offset += 1
                let name = try name("a parameter's name")
                guard byte == UInt8(ascii: "=") else { throw SyslogMessage.Malformed(offset: offset, expected: "=") }
                offset += 1
                parameters.append(SyslogMessage.Parameter(element: element, name: name, value: try quoted()))
            }
            guard byte == UInt8(ascii: "]") else { throw SyslogMessage.Malformed(offset: offset, expected: "]") }
            offset += 1
        }
        return parameters
    }

    private mutating func name(_ what: String) throws(SyslogMessage.Malformed) -> String {
        let start = offset
        while let byte, byte > 0x20, byte < 0x7f, !"=]\"".utf8.contains(byte) { offset += 1 }
        guard offset > start else { throw SyslogMessage.Malformed(offset: offset, expected: what) }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    /// `"…"` with `\"`, `\\` and `\]`.
    private mutating func quoted() throws(SyslogMessage.Malformed) -> String {
        guard byte == UInt8(ascii: "\"") else { throw SyslogMessage.Malformed(offset: offset, expected: "\"") }
        offset += 1
        var value: [UInt8] = []
        while let next = byte, next != UInt8(ascii: "\"") {
            if next == UInt8(ascii: "\\"), offset + 1 < bytes.count, "\"\\]".utf8.contains(bytes[offset + 1]) { offset += 1 }
            value.append(bytes[offset])
            offset += 1
        }
        guard byte == UInt8(ascii: "\"") else { throw SyslogMessage.Malformed(offset: offset, expected: "\"") }
        offset += 1
        return String(decoding: value, as: UTF8.self)
    }

    /// `Oct 11 22:14:15 `, or the timestamp of RFC 3339 that newer daemons write; moves behind it.
    mutating func bsdTime(now: Int64, months: [String]) -> Int64? {
        let start = offset
        if let first = byte, first >= UInt8(ascii: "0"), first <= UInt8(ascii: "9"), let word = word(byteCountMax: 64) {
            if let time = RFC3339.nanoseconds(Array(word.utf8)) { return time }
            offset = start
            return nil
        }
        guard bytes.count - start >= 15 else { return nil }
        let text = Array(bytes[start..<(start + 15)])
        guard let month = months.firstIndex(of: String(decoding: text[0..<3], as: UTF8.self)), text[3] == 0x20, text[6] == 0x20,
            text[9] == UInt8(ascii: ":"), text[12] == UInt8(ascii: ":"),
            let day = Self.number(text[4..<6]), let hour = Self.number(text[7..<9]), let minute = Self.number(text[10..<12]),
            let second = Self.number(text[13..<15]), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        offset = start + 15
        skip(UInt8(ascii: " "))
        // The year in which it lies closest to now, and not more than a day ahead.
        let (year, _, _) = CivilDate.date(days: now / 86_400_000_000_000)
        func time(_ year: Int64) -> Int64 {
            (CivilDate.days(year, Int64(month) + 1, Int64(day)) * 86_400 + Int64(hour * 3_600 + minute * 60 + second)) * 1_000_000_000
        }
        let thisYear = time(year)
        return thisYear > now + 86_400_000_000_000 ? time(year - 1) : thisYear
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        Int(String(decoding: digits.drop { $0 == 0x20 }, as: UTF8.self))
    }

    /// `app[123]: ` or `app: `; moves behind it.
    mutating func tag() -> (name: String, procID: String?)? {
        var end = offset
        while end < bytes.count, end - offset <= 64, bytes[end] > 0x20, !"[:".utf8.contains(bytes[end]) { end += 1 }
        guard end > offset, end < bytes.count else { return nil }
        let name = String(decoding: bytes[offset..<end], as: UTF8.self)
        var procID: String?
        if bytes[end] == UInt8(ascii: "[") {
            guard let close = bytes[end...].firstIndex(of: UInt8(ascii: "]")), close - end <= 64 else { return nil }
            procID = String(decoding: bytes[(end + 1)..<close], as: UTF8.self)
            end = close + 1
        }
        guard end < bytes.count, bytes[end] == UInt8(ascii: ":") else { return nil }
        offset = end + 1
        skip(UInt8(ascii: " "))
        return (name, procID)
    }
}

/// Days of the Gregorian calendar (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
enum CivilDate {
    /// Days since 1970-01-01.
    static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }
}
