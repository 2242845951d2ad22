/// Durations and sizes as people write them.
enum Units {
    private static let durations: [(name: String, nanoseconds: Double, isGo: Bool)] = [
        ("ns", 1, true), ("us", 1e3, true), ("µs", 1e3, true), ("μs", 1e3, true), ("ms", 1e6, true), ("s", 1e9, true),
        ("m", 60e9, true), ("h", 3600e9, true), ("d", 86_400e9, false), ("w", 604_800e9, false), ("y", 31_536_000e9, false),
    ]

    /// `1h15m30.5s`, `-5m`, `0`: nanoseconds. Days, weeks and years (which Go's `time.ParseDuration` lacks) only on demand.
    static func duration(_ text: some StringProtocol, allowsDays: Bool) -> Int64? {
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
            guard let number = Double(String(decoding: digits, as: UTF8.self)) ?? goNumber(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { !(0x30...0x39).contains($0) && $0 != UInt8(ascii: ".") }
            let text = String(decoding: name, as: UTF8.self)
            guard let unit = durations.first(where: { $0.name == text }), allowsDays || unit.isGo else { return nil }
            total += number * unit.nanoseconds
            rest = rest.dropFirst(name.count)
        }
        total *= sign
        guard abs(total) < 9.2e18 else { return nil }
        return Int64(total)
    }

    /// Go takes `5.` and `.5`; Swift only the latter.
    private static func goNumber(_ digits: ArraySlice<UInt8>) -> Double? {
        guard digits.last == UInt8(ascii: "."), digits.count > 1 else { return nil }
        return Double(String(decoding: digits.dropLast(), as: UTF8.self))
    }

    private static let sizes: [String: Double] = [
        "": 1, "b": 1, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9, "t": 1e12, "tb": 1e12, "p": 1e15, "pb": 1e15,
        "e": 1e18, "eb": 1e18, "ki": 1024, "kib": 1024, "mi": 1_048_576, "mib": 1_048_576, "gi": 1_073_741_824, "gib": 1_073_741_824,
        "ti": 1_099_511_627_776, "tib": 1_099_511_627_776, "pi": 1_125_899_906_842_624, "pib": 1_125_899_906_842_624,
        "ei": 1_152_921_504_606_846_976, "eib": 1_152_921_504_606_846_976,
    ]

    /// `5KiB`, `1.5 MB`, `1,000`: bytes.
    static func bytes(_ text: some StringProtocol) -> UInt64? {
        let all = Array(text.utf8)
        let digits = all.prefix { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ",") }
        guard let number = Double(String(decoding: digits.filter { $0 != UInt8(ascii: ",") }, as: UTF8.self)) else { return nil }
        let name = String(decoding: all.dropFirst(digits.count), as: UTF8.self).filter { $0 != " " }.lowercased()
        guard let factor = sizes[name] else { return nil }
        let value = number * factor
        guard value.isFinite, value < 1.8e19 else { return nil }
        return UInt64(value)
    }

    /// Nanoseconds as Go prints a `time.Duration`: `1h0m5s`, `1.5ms`.
    static func text(duration nanoseconds: Int64) -> String {
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

    /// Nanoseconds as a range is written: `1h30m`, without units that are zero; finer than milliseconds as Go has them.
    static func text(range nanoseconds: Int64) -> String {
        guard nanoseconds != 0, nanoseconds % 1_000_000 == 0 else { return text(duration: nanoseconds) }
        var rest = nanoseconds.magnitude / 1_000_000
        var text = nanoseconds < 0 ? "-" : ""
        let units: [(String, UInt64, Bool)] = [
            ("y", 31_536_000_000, true), ("w", 604_800_000, true), ("d", 86_400_000, false), ("h", 3_600_000, false), ("m", 60_000, false),
            ("s", 1_000, false), ("ms", 1, false),
        ]
        // Years and weeks only where nothing is left over, as Prometheus prints durations.
        for (name, size, isExact) in units where rest >= size && (!isExact || rest % size == 0) {
            text += "\(rest / size)\(name)"
            rest %= size
        }
        return text
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

    /// Bytes as humanize prints them: `10MB`.
    static func text(bytes: UInt64) -> String {
        for (name, factor) in [("EB", 1e18), ("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] {
            let value = Double(bytes) / factor
            if value >= 1, value == value.rounded() { return "\(Int(value))\(name)" }
        }
        return "\(bytes)B"
    }
}
