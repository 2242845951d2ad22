/// Prometheus' functions that make numbers readable (template/template.go, common/helpers/templates).
enum Humanize {
    private static let large = ["k", "M", "G", "T", "P", "E", "Z", "Y"]
    private static let small = ["m", "u", "n", "p", "f", "a", "z", "y"]
    private static let binary = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"]

    /// SI prefixes: `1.234k`.
    static func decimal(_ value: Double) -> String {
        guard value != 0, value.isFinite else { return GoFormat.fourDigits(value) }
        return abs(value) >= 1 ? divided(value, by: 1_000, large) : multiplied(value)
    }

    /// Prefixes of powers of 1024: `1.5Mi`.
    static func base1024(_ value: Double) -> String {
        guard abs(value) > 1, value.isFinite else { return GoFormat.fourDigits(value) }
        return divided(value, by: 1_024, binary)
    }

    /// Seconds as `1d 2h 3m 4s`, or with an SI prefix below one.
    static func duration(_ value: Double) -> String {
        guard value.isFinite else { return GoFormat.fourDigits(value) }
        if value == 0 { return GoFormat.fourDigits(value) + "s" }
        guard abs(value) >= 1 else { return multiplied(value) + "s" }
        // Beyond 2^63 there is nothing left to read.
        guard abs(value) < 9e18 else { return GoFormat.fourDigits(value) + "s" }
        let sign = value < 0 ? "-" : ""
        let total = Int64(abs(value))
        let (seconds, minutes, hours, days) = (total % 60, total / 60 % 60, total / 3_600 % 24, total / 86_400)
        if days != 0 { return "\(sign)\(days)d \(hours)h \(minutes)m \(seconds)s" }
        if hours != 0 { return "\(sign)\(hours)h \(minutes)m \(seconds)s" }
        if minutes != 0 { return "\(sign)\(minutes)m \(seconds)s" }
        return sign + GoFormat.fourDigits(abs(value)) + "s"
    }

    /// A ratio as a percentage.
    static func percentage(_ value: Double) -> String { GoFormat.fourDigits(value * 100) + "%" }

    private static func divided(_ value: Double, by step: Double, _ prefixes: [String]) -> String {
        var (value, prefix) = (value, "")
        for next in prefixes {
            if abs(value) < step { break }
            prefix = next
            value /= step
        }
        return GoFormat.fourDigits(value) + prefix
    }

    private static func multiplied(_ value: Double) -> String {
        var (value, prefix) = (value, "")
        for next in small {
            if abs(value) >= 1 { break }
            prefix = next
            value *= 1_000
        }
        return GoFormat.fourDigits(value) + prefix
    }
}
