import Templates

/// Durations and sizes as people write them.
enum Units {
    /// `1h15m30.5s`, `-5m`, `0`: nanoseconds. Days, weeks and years (which Go's `time.ParseDuration` lacks) only on demand.
    static func duration(_ text: some StringProtocol, allowsDays: Bool) -> Int64? {
        GoDuration.parse(String(text), allowsDays: allowsDays)
    }

    /// `5KiB`, `1.5 MB`, `1,000`: bytes.
    static func bytes(_ text: some StringProtocol) -> UInt64? { GoByteSize.parse(String(text)) }

    /// Nanoseconds as Go prints a `time.Duration`: `1h0m5s`, `1.5ms`.
    static func text(duration nanoseconds: Int64) -> String { GoDuration.text(nanoseconds) }

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

    /// Bytes as humanize prints them, `1.5kB`, `10MB`; exactly where that would be another number.
    static func text(bytes: UInt64) -> String {
        for (name, factor) in [("EB", 1e18), ("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] where Double(bytes) >= factor {
            let tenths = (Double(bytes) / factor * 10 + 0.5).rounded(.down)
            let text = tenths < 100 ? "\(tenths / 10)\(name)" : "\(Int((tenths / 10).rounded(.toNearestOrEven)))\(name)"
            return self.bytes(text) == bytes ? text : "\(bytes)B"
        }
        return "\(bytes)B"
    }
}
