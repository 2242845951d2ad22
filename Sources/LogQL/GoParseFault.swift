import Patterns
import Telemetry

/// What Go's parsers say of texts that they do not take: `__error_details__` has their words.
enum GoParseFault {
    /// `strconv.ParseFloat`.
    static func float(_ text: String) -> String { "strconv.ParseFloat: parsing \(text.quoted): invalid syntax" }

    /// `time.ParseDuration`.
    static func duration(_ text: String) -> String {
        var rest = text.utf8[...]
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest = rest.dropFirst() }
        let isNumber = { (byte: UInt8) in (0x30...0x39).contains(byte) || byte == UInt8(ascii: ".") }
        while !rest.isEmpty {
            let digits = rest.prefix(while: isNumber)
            guard digits.contains(where: { $0 != UInt8(ascii: ".") }) else { break }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !isNumber($0) }
            if unit.isEmpty { return "time: missing unit in duration \(text.quoted)" }
            let name = String(decoding: unit, as: UTF8.self)
            guard Units.duration("1" + name, allowsDays: false) != nil else {
                return "time: unknown unit \(name.quoted) in duration \(text.quoted)"
            }
            rest = rest.dropFirst(unit.count)
        }
        return "time: invalid duration \(text.quoted)"
    }

    /// `regexp.Compile`, of what RE2 says.
    static func regexp(_ fault: Pattern.SyntaxError) -> String {
        let words = [
            ("missing ):", "missing closing ):"), ("missing ]:", "missing closing ]:"), ("unexpected ):", "unexpected ):"),
            ("no argument for repetition operator:", "missing argument to repetition operator:"),
            ("bad repetition operator:", "invalid nested repetition operator:"), ("invalid repetition size:", "invalid repeat count:"),
            ("invalid perl operator:", "invalid or unsupported Perl syntax:"), ("invalid named capture group:", "invalid named capture:"),
            ("invalid escape sequence:", "invalid escape sequence:"), ("invalid character class range:", "invalid character class range:"),
        ]
        for (theirs, ours) in words where fault.message.hasPrefix(theirs) {
            return "error parsing regexp: \(ours) `\(fault.message.dropFirst(theirs.count).drop { $0 == " " })`"
        }
        if fault.message.hasPrefix("trailing \\") { return "error parsing regexp: trailing backslash at end of expression: ``" }
        return fault.description
    }

    /// `humanize.ParseBytes`.
    static func bytes(_ text: String) -> String {
        let digits = text.utf8.prefix { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ",") }
        let number = String(decoding: digits.filter { $0 != UInt8(ascii: ",") }, as: UTF8.self)
        guard Double(number) != nil else { return float(number) }
        let unit = String(decoding: text.utf8.dropFirst(digits.count), as: UTF8.self).lowercased()
        return "unhandled size name: " + unit.drop { $0.isWhitespace }
    }
}
