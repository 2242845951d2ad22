/// Durations in Prometheus' notation (prometheus/common, model/time.go): `y w d h m s ms`, each unit once, from long to short.
package enum DurationText {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("y", 365 * 86_400_000), ("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000),
        ("s", 1_000), ("ms", 1),
    ]

    /// Reads `1h30m`, `500ms`, `0`; nil where it is no duration or one beyond 292 years.
    package static func parse(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        guard !text.isEmpty else { return nil }
        var rest = Substring(text)
        var milliseconds: Int64 = 0
        var nextUnit = 0
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            guard let count = Int64(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(letters.count)
            guard let unit = units[nextUnit...].firstIndex(where: { $0.name == letters }) else { return nil }
            nextUnit = unit + 1
            let (product, productOverflows) = count.multipliedReportingOverflow(by: units[unit].milliseconds)
            let (sum, sumOverflows) = milliseconds.addingReportingOverflow(product)
            // Prometheus keeps durations in nanoseconds: 2^63 of them.
            guard !productOverflows, !sumOverflows, sum <= Int64.max / 1_000_000 else { return nil }
            milliseconds = sum
        }
        return .milliseconds(milliseconds)
    }

    /// Writes a duration as Prometheus does: `1h30m`, `0s`.
    package static func format(_ duration: Duration) -> String {
        var left = duration.milliseconds
        if left == 0 { return "0s" }
        var text = left < 0 ? "-" : ""
        left = left < 0 ? 0 &- left : left
        for (name, milliseconds) in units {
            // Weeks and years only where nothing smaller is left over.
            let isExactOnly = name == "y" || name == "w"
            guard left >= milliseconds, !isExactOnly || left % milliseconds == 0 else { continue }
            text += "\(left / milliseconds)\(name)"
            left %= milliseconds
        }
        return text
    }
}

extension Duration {
    /// Whole milliseconds, towards zero.
    package var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds &* 1_000 &+ attoseconds / 1_000_000_000_000_000
    }

    /// Seconds as a floating-point number.
    package var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}

/// Numbers of bytes as Prometheus reads them (alecthomas/units, base 2): `KB` and `KiB` are 1024 bytes.
package enum ByteCountText {
    package static func parse(_ text: String) -> Int? {
        let digits = text.prefix { ("0"..."9").contains($0) || $0 == "." }
        guard let count = Double(digits) else { return nil }
        let powers = ["": 0, "B": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5]
        let unit = text.dropFirst(digits.count)
        let stem =
            unit.hasSuffix("iB") ? unit.dropLast(2) : unit.hasSuffix("B") && unit.count > 1 ? unit.dropLast(1) : unit
        guard let power = powers[String(stem)] else { return nil }
        var bytes = count
        for _ in 0..<power { bytes *= 1024 }
        return Int(exactly: bytes.rounded())
    }
}
