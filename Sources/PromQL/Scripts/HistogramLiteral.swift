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

extension NativeHistogram {
    /// As a script writes it, in one way for each value: without empty buckets at the ends, without gaps, and without what is 0
    /// (Prometheus, `FloatHistogram.TestExpression`).
    package var scriptText: String {
        var parts: [String] = []
        func add(_ name: String, _ value: Double) {
            if value != 0 { parts.append("\(name):\(PromQLNumber.formatGeneral(value))") }
        }
        func list(_ values: [Double]) -> String { values.map(PromQLNumber.formatGeneral).joined(separator: " ") }
        func addBuckets(_ name: String, _ offsetName: String, _ runs: [Run], _ counts: [Double]) {
            guard let (offset, counts) = Self.filled(runs, counts) else { return }
            if offset != 0 { parts.append("\(offsetName):\(offset)") }
            parts.append("\(name):[\(list(counts))]")
        }
        add("schema", Double(schema))
        add("count", count)
        add("sum", sum)
        add("z_bucket", zeroCount)
        add("z_bucket_w", zeroThreshold)
        if schema == Self.customBoundsSchema { parts.append("custom_values:[\(list(customBounds))]") }
        switch resetHint {
        case .unknown: break
        case .reset: parts.append("counter_reset_hint:reset")
        case .notReset: parts.append("counter_reset_hint:not_reset")
        case .gauge: parts.append("counter_reset_hint:gauge")
        }
        addBuckets("buckets", "offset", positiveRuns, positiveCounts)
        addBuckets("n_buckets", "n_offset", negativeRuns, negativeCounts)
        return "{{\(parts.joined(separator: " "))}}"
    }

    /// How many empty buckets may lie between two others: of what a script writes, there are few.
    private static let gapMax = 10_000

    /// The buckets from the first to the last one that is not empty, with the index of the first.
    private static func filled(_ runs: [Run], _ counts: [Double]) -> (offset: Int64, counts: [Double])? {
        var buckets: [(index: Int64, count: Double)] = []
        var index: Int64 = 0
        var next = 0
        for run in runs {
            index += Int64(run.offset)
            for _ in 0..<run.length where next < counts.count {
                if counts[next] != 0 { buckets.append((index, counts[next])) }
                next += 1
                index += 1
            }
        }
        guard let first = buckets.first else { return nil }
        var filled: [Double] = []
        for bucket in buckets {
            let gap = bucket.index - first.index - Int64(filled.count)
            if gap > 0, gap <= gapMax { filled += Array(repeating: 0, count: Int(gap)) }
            filled.append(bucket.count)
        }
        return (first.index, filled)
    }
}
