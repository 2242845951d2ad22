import Telemetry

/// A histogram in the making.
struct HistogramLiteral {
    private var numbers: [String: [Double]] = [:]
    private var hint = NativeHistogram.ResetHint.unknown
    private(set) var checksHint = false

    static let keys: Set<String> = [
        "schema", "sum", "count", "z_bucket", "z_bucket_w", "buckets", "offset", "n_buckets", "n_offset", "custom_values",
        "counter_reset_hint",
    ]

    func has(_ key: String) -> Bool { key == "counter_reset_hint" ? checksHint : numbers[key] != nil }

    mutating func set(_ key: String, _ values: [Double]) { numbers[key] = values }

    /// Whether there is such a hint.
    mutating func set(hint name: String) -> Bool {
        let hints: [String: NativeHistogram.ResetHint] = [
            "unknown": .unknown, "reset": .reset, "not_reset": .notReset, "gauge": .gauge,
        ]
        guard let named = hints[name] else { return false }
        checksHint = true
        hint = named
        return true
    }

    /// nil where an integer of it is none.
    var histogram: NativeHistogram? {
        func number(_ key: String) -> Double { numbers[key]?.first ?? 0 }
        guard let schema = Int32(exactly: number("schema")), let offset = Int32(exactly: number("offset")),
            let negativeOffset = Int32(exactly: number("n_offset"))
        else { return nil }
        func runs(_ counts: String, _ offset: Int32) -> [NativeHistogram.Run] {
            let count = numbers[counts]?.count ?? 0
            return count == 0 ? [] : [.init(offset: offset, length: UInt32(count))]
        }
        return NativeHistogram(
            schema: schema, zeroThreshold: number("z_bucket_w"), zeroCount: number("z_bucket"),
            count: number("count"),
            sum: number("sum"), positiveRuns: runs("buckets", offset), positiveCounts: numbers["buckets"] ?? [],
            negativeRuns: runs("n_buckets", negativeOffset), negativeCounts: numbers["n_buckets"] ?? [],
            customBounds: numbers["custom_values"] ?? [], resetHint: hint)
    }
}
