import Formats
import Telemetry

/// What makes an exposition large: the metric with the most series, and of that the label with the most values.
struct BudgetCulprit: Sendable {
    var metric: String
    var seriesCount: Int
    /// nil where the metric has no labels.
    var label: (name: String, valueCount: Int)?

    /// Labels are read of so many series at most: beyond it the picture does not change.
    private static let seriesCountMax = 50_000

    /// - Parameter metric: the metric to look at; nil: the largest.
    init(_ exposition: ExpositionResult, metric wanted: String? = nil) {
        var counts: [String: Int] = [:]
        for sample in exposition.samples { counts[exposition.metricName(of: sample), default: 0] += 1 }
        let largest = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }
        metric = wanted ?? largest?.key ?? ""
        seriesCount = counts[metric] ?? 0
        var values: [String: Set<String>] = [:]
        var read = 0
        for sample in exposition.samples where exposition.metricName(of: sample) == metric {
            guard let labels = try? exposition.labels(of: sample) else { continue }
            for label in labels.pairs where label.name != Labels.metricName { values[label.name, default: []].insert(label.value) }
            read += 1
            if read == Self.seriesCountMax { break }
        }
        label = values.map { (name: $0.key, valueCount: $0.value.count) }.max { ($0.valueCount, $1.name) < ($1.valueCount, $0.name) }
    }

    /// In words, for the end of a sentence.
    var text: String {
        guard let label else { return "metric \(metric.debugDescription) has the most series (\(seriesCount))" }
        let isCut = seriesCount > Self.seriesCountMax
        return "metric \(metric.debugDescription) has the most series (\(seriesCount)), "
            + "and of it label \(label.name.debugDescription) has the most values "
            + "(\(isCut ? "at least " : "")\(label.valueCount))"
    }

    /// The label alone, in words.
    var labelText: String {
        guard let label else { return "it has no labels" }
        let isCut = seriesCount > Self.seriesCountMax
        return "its label \(label.name.debugDescription) has the most values (\(isCut ? "at least " : "")\(label.valueCount))"
    }
}
