import Glibc
import Telemetry

/// Numbers and verbs as Go's `fmt` writes them.
enum GoFormat {
    /// `%v` of a float64: the shortest digits that read back, with an exponent below 1e-4 and from 1e6 on
    /// (strconv, `FormatFloat` with 'g' and -1).
    static func shortest(_ value: Double) -> String {
        if let special = special(value) { return special }
        if value == 0 { return value.sign == .minus ? "-0" : "0" }
        let (digits, exponent) = shortestDigits(abs(value))
        let sign = value < 0 ? "-" : ""
        if exponent < -4 || exponent >= Self.exponentMax {
            let mantissa = digits.count > 1 ? digits.prefix(1) + "." + digits.dropFirst() : digits[...]
            let power = abs(exponent)
            return sign + mantissa + "e" + (exponent < 0 ? "-" : "+") + (power < 10 ? "0" : "") + String(power)
        }
        if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
        let padded = digits + String(repeating: "0", count: max(0, exponent + 1 - digits.count))
        let fraction = padded.dropFirst(exponent + 1)
        return sign + padded.prefix(exponent + 1) + (fraction.isEmpty ? "" : "." + fraction)
    }

    /// "If precision was the shortest possible, use precision 6 for this decision" (strconv/ftoa.go).
    private static let exponentMax = 6

    /// `%.4g`, which all of the humanize functions use.
    static func fourDigits(_ value: Double) -> String { number(value, verb: "g", flags: "", width: nil, precision: 4) }

    /// A float with a verb of C's printf, which agrees with Go's but for infinities and NaN.
    static func number(_ value: Double, verb: Character, flags: String, width: Int?, precision: Int?) -> String {
        if let special = special(value) {
            let text =
                flags.contains("+") && !special.hasPrefix("-") && !special.hasPrefix("+") ? "+" + special : special
            let isPlusWanted = flags.contains("+") || flags.contains(" ")
            return pad(
                value == .infinity && !isPlusWanted ? "+Inf" : text, flags: flags.filter { $0 == "-" }, width: width)
        }
        var format = "%" + flags.filter { "+-# 0".contains($0) }
        if let width { format += String(width) }
        if let precision { format += "." + String(precision) }
        format.append(verb)
        return withVaList([value]) { arguments in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1_024) { buffer in
                let count = vsnprintf(buffer.baseAddress, buffer.count, format, arguments)
                guard count >= 0, let start = buffer.baseAddress else { return "" }
                return String(cString: start)
            }
        }
    }

    static func pad(_ text: String, flags: String, width: Int?) -> String {
        guard let width, text.count < width else { return text }
        let padding = String(repeating: " ", count: width - text.count)
        return flags.contains("-") ? text + padding : padding + text
    }

    private static func special(_ value: Double) -> String? {
        if value.isNaN { return "NaN" }
        return value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : nil
    }

    /// The shortest decimal digits of a positive number and the power of ten of the first one.
    private static func shortestDigits(_ value: Double) -> (digits: String, exponent: Int) {
        let text = "\(value)".lowercased()
        let parts = text.split(separator: "e")
        var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let number = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let (whole, fraction) = (number[0], number.count > 1 ? number[1] : "")
        exponent += whole.count - 1
        var digits = String(whole + fraction)
        while digits.first == "0", digits.count > 1 {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.last == "0", digits.count > 1 { digits.removeLast() }
        return (digits, exponent)
    }
}

/// Times as Go prints them.
enum TimeFormat {
    /// `2006-01-02 15:04:05.999 +0000 UTC`, as `time.Time` prints itself.
    static func go(milliseconds: Int64) -> String {
        let (seconds, fraction) = milliseconds.quotientAndFloorRemainder(1_000)
        return dateTime(seconds, separator: " ") + fractionText(fraction, digits: 3) + " +0000 UTC"
    }

    /// RFC 3339 with as many digits of the second's fraction as it takes, like `time.RFC3339Nano`.
    package static func rfc3339(milliseconds: Int64) -> String {
        let (seconds, fraction) = milliseconds.quotientAndFloorRemainder(1_000)
        return dateTime(seconds, separator: "T") + fractionText(fraction, digits: 3) + "Z"
    }

    /// `1h2m3.5s`, as `time.Duration` prints itself.
    static func goDuration(_ nanoseconds: Int64) -> String {
        if nanoseconds == 0 { return "0s" }
        let sign = nanoseconds < 0 ? "-" : ""
        let value = nanoseconds.magnitude
        if value < 1_000 { return "\(sign)\(value)ns" }
        if value < 1_000_000 { return sign + GoFormat.shortest(Double(value) / 1e3) + "µs" }
        if value < 1_000_000_000 { return sign + GoFormat.shortest(Double(value) / 1e6) + "ms" }
        let seconds = value / 1_000_000_000
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60)
        var text = sign
        if hours > 0 { text += "\(hours)h" }
        if hours > 0 || minutes > 0 { text += "\(minutes)m" }
        return text + "\(seconds % 60)" + fractionText(Int64(value % 1_000_000_000), digits: 9) + "s"
    }

    private static func fractionText(_ fraction: Int64, digits: Int) -> String {
        guard fraction > 0 else { return "" }
        let text = String(fraction)
        var padded = String(repeating: "0", count: max(0, digits - text.count)) + text
        while padded.last == "0" { padded.removeLast() }
        return "." + padded
    }

    private static func dateTime(_ seconds: Int64, separator: String) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let year = Int(parts.tm_year) + 1_900
        let yearText = String(repeating: "0", count: max(0, 4 - String(year).count)) + String(year)
        return "\(yearText)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))\(separator)"
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }
}

extension Int64 {
    /// Division that rounds down, so that the remainder is not negative.
    fileprivate func quotientAndFloorRemainder(_ divisor: Int64) -> (Int64, Int64) {
        let remainder = self % divisor
        return remainder < 0 ? (self / divisor - 1, remainder + divisor) : (self / divisor, remainder)
    }
}
