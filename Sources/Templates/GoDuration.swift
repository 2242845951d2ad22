/// Durations as Go writes and reads them (`time.ParseDuration`, `time.Duration.String`).
package enum GoDuration {
    private static let units: [(name: String, nanoseconds: Double, isGo: Bool)] = [
        ("ns", 1, true), ("us", 1e3, true), ("µs", 1e3, true), ("μs", 1e3, true), ("ms", 1e6, true), ("s", 1e9, true),
        ("m", 60e9, true), ("h", 3600e9, true), ("d", 86_400e9, false), ("w", 604_800e9, false), ("y", 31_536_000e9, false),
    ]

    /// Nanoseconds as seconds, rounded as `Duration.Seconds` rounds: whole ones and the rest each for itself.
    package static func seconds(_ nanoseconds: Int64) -> Double {
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return Double(whole) + Double(rest) / 1e9
    }

    /// `1h15m30.5s`, `-5m`, `0`: nanoseconds. Days, weeks and years, which Go lacks, only on demand.
    package static func parse(_ text: String, allowsDays: Bool = false) -> Int64? {
        var rest = Array(text.utf8)[...]
        var sign = 1.0
        if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            if first == UInt8(ascii: "-") { sign = -1 }
            rest = rest.dropFirst()
        }
        if rest.elementsEqual("0".utf8) { return 0 }
        guard !rest.isEmpty else { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
            guard let number = GoNumber.parse(String(decoding: digits, as: UTF8.self)) else { return nil }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { !(0x30...0x39).contains($0) && $0 != UInt8(ascii: ".") }
            let text = String(decoding: name, as: UTF8.self)
            guard let unit = units.first(where: { $0.name == text }), allowsDays || unit.isGo else { return nil }
            total += number * unit.nanoseconds
            rest = rest.dropFirst(name.count)
        }
        total *= sign
        guard abs(total) < 9.2e18 else { return nil }
        return Int64(total.rounded())
    }

    /// Nanoseconds as Go prints them: `1h0m5s`, `1.5ms`.
    package static func text(_ nanoseconds: Int64) -> String {
        if nanoseconds == 0 { return "0s" }
        let magnitude = nanoseconds.magnitude
        let sign = nanoseconds < 0 ? "-" : ""
        if magnitude < 1_000 { return "\(sign)\(magnitude)ns" }
        if magnitude < 1_000_000 { return sign + decimal(magnitude, 1_000) + "µs" }
        if magnitude < 1_000_000_000 { return sign + decimal(magnitude, 1_000_000) + "ms" }
        let minutes = magnitude / 60_000_000_000
        let seconds = decimal(magnitude % 60_000_000_000, 1_000_000_000) + "s"
        if minutes == 0 { return sign + seconds }
        if minutes < 60 { return "\(sign)\(minutes)m\(seconds)" }
        return "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
    }

    private static func decimal(_ value: UInt64, _ unit: UInt64) -> String {
        let (whole, rest) = value.quotientAndRemainder(dividingBy: unit)
        if rest == 0 { return String(whole) }
        let width = String(unit).count - 1
        var digits = String(rest)
        digits = String(repeating: "0", count: width - digits.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole).\(digits)"
    }
}
