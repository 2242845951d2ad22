import Telemetry

/// Native histograms with custom bounds, made from the classic histograms of one load.
struct DerivedHistograms {
    private struct Family {
        var buckets: [(bound: Double, values: [ScriptValue])] = []
        var count: [ScriptValue] = []
        var sum: [ScriptValue] = []
    }

    private(set) var series: [ScriptSeries] = []

    init(_ loaded: [ScriptSeries], line: Int) throws(ScriptError) {
        var families: [Labels: Family] = [:]
        for series in loaded {
            guard let name = series.labels[Labels.metricName] else { continue }
            var labels = series.labels
            for suffix in ["_bucket", "_count", "_sum"] where name.hasSuffix(suffix) {
                labels[Labels.metricName] = String(name.dropLast(suffix.count))
                switch suffix {
                case "_bucket":
                    guard let bound = labels["le"].flatMap({ PromQLNumber.parse($0) }) else { break }
                    labels["le"] = nil
                    families[labels, default: Family()].buckets.append((bound, series.values))
                case "_count": families[labels, default: Family()].count = series.values
                default: families[labels, default: Family()].sum = series.values
                }
            }
        }
        for (labels, family) in families.sorted(by: { $0.key < $1.key }) {
            var result = ScriptSeries(labels: labels)
            let length = (family.buckets.map(\.values) + [family.count, family.sum]).map(\.count).max() ?? 0
            for index in 0..<length {
                guard let value = Self.histogram(family, index) else {
                    throw ScriptError(line: line, message: "the buckets of \(labels) are no cumulative counts")
                }
                result.values.append(value)
            }
            series.append(result)
        }
    }

    private static func float(_ values: [ScriptValue], _ index: Int) -> Double? {
        guard index < values.count, case .float(let value) = values[index] else { return nil }
        return value
    }

    /// nil where the buckets are no cumulative counts, or disagree with the count.
    private static func histogram(_ family: Family, _ index: Int) -> ScriptValue? {
        var buckets = family.buckets.compactMap { bucket in
            float(bucket.values, index).map { (bound: bucket.bound, count: $0) }
        }
        buckets.sort { $0.bound < $1.bound }
        let count = float(family.count, index)
        let sum = float(family.sum, index)
        if buckets.isEmpty && count == nil && sum == nil { return ScriptValue.none }
        if buckets.last?.bound != .infinity { buckets.append((.infinity, count ?? buckets.last?.count ?? 0)) }
        var counts: [Double] = []
        var previous = 0.0
        if buckets.contains(where: { $0.count < 0 }) || (count ?? 0) < 0 { return nil }
        if let count, let last = buckets.last, last.count != count { return nil }
        for bucket in buckets {
            guard bucket.count >= previous else { return nil }
            counts.append(bucket.count - previous)
            previous = bucket.count
        }
        return .histogram(
            NativeHistogram(
                schema: NativeHistogram.customBoundsSchema, count: previous, sum: sum ?? 0,
                positiveRuns: [.init(offset: 0, length: UInt32(counts.count))], positiveCounts: counts,
                customBounds: buckets.dropLast().map(\.bound)),
            checksHint: false)
    }
}
