import Query
import Synchronization
import Telemetry

/// Warnings and infos of one query, each once.
final class Annotations: Sendable {
    private struct State: Sendable {
        var warnings: [String] = []
        var infos: [String] = []
        var seen: Set<String> = []
    }

    private let state = Mutex(State())
    private let text: String

    init(text: String) {
        self.text = text
    }

    func warn(_ message: String, at place: SourceRange) { add(message, at: place, isWarning: true) }
    func inform(_ message: String, at place: SourceRange) { add(message, at: place, isWarning: false) }

    private func add(_ message: String, at range: SourceRange, isWarning: Bool) {
        let place = range.place(in: text)
        let line = "PromQL \(isWarning ? "warning" : "info"): \(message) (\(place.line):\(place.column))"
        state.withLock { state in
            guard state.seen.insert(line).inserted else { return }
            if isWarning { state.warnings.append(line) } else { state.infos.append(line) }
        }
    }

    var warnings: [String] { state.withLock(\.warnings) }
    var infos: [String] { state.withLock(\.infos) }
}

/// The wording of Prometheus' annotations (util/annotations).
extension Annotations {
    func mixedFloatsAndHistograms(_ metric: String, at place: SourceRange) {
        warn("encountered a mix of histograms and floats for metric name \(metric.quoted)", at: place)
    }
    func mixedFloatsAndHistogramsInAggregation(at place: SourceRange) {
        warn("encountered a mix of histograms and floats for aggregation", at: place)
    }
    func mixedSchemas(_ metric: String, at place: SourceRange) {
        warn(
            "vector contains a mix of histograms with exponential and custom buckets schemas for metric name \(metric.quoted)",
            at: place)
    }
    func notACounter(_ metric: String, at place: SourceRange) {
        warn("this native histogram metric is not a counter: \(metric.quoted)", at: place)
    }
    func notAGauge(_ metric: String, at place: SourceRange) {
        warn("this native histogram metric is not a gauge: \(metric.quoted)", at: place)
    }
    func invalidQuantile(_ quantile: Double, at place: SourceRange) {
        warn("quantile value should be between 0 and 1, got \(PromQLNumber.formatGeneral(quantile))", at: place)
    }
    func invalidRatio(_ ratio: Double, cappedTo cap: Double, at place: SourceRange) {
        warn(
            "ratio value should be between -1 and 1, got \(PromQLNumber.formatGeneral(ratio)), capping to \(PromQLNumber.formatGeneral(cap))",
            at: place)
    }
    func badBucketLabel(_ value: String, _ metric: String, at place: SourceRange) {
        warn(
            "bucket label \("le".quoted) is missing or has a malformed value of \(value.quoted)\(Self.named(metric))",
            at: place)
    }
    func mixedClassicAndNative(_ metric: String, at place: SourceRange) {
        warn("vector contains a mix of classic and native histograms\(Self.named(metric))", at: place)
    }
    func possiblyNoCounter(_ metric: String, at place: SourceRange) {
        inform(
            "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \(metric.quoted)",
            at: place)
    }
    func ignoredHistogramsInMixedRange(_ metric: String, at place: SourceRange) {
        inform(
            "ignored histograms in a range containing both floats and histograms for metric name \(metric.quoted)",
            at: place)
    }
    func ignoredHistogram(inAggregation name: String, at place: SourceRange) {
        inform("ignored histogram in \(name) aggregation", at: place)
    }
    func incompatibleTypes(_ left: String, _ operation: String, _ right: String, at place: SourceRange) {
        inform(
            "incompatible sample types encountered for binary operator \(operation.quoted): \(left) \(operation) \(right)",
            at: place)
    }
    func incompatibleBuckets(_ operation: String, at place: SourceRange) {
        warn("incompatible bucket layout encountered for binary operator \(operation)", at: place)
    }
    func conflictingResets(during operation: String, at place: SourceRange) {
        warn("conflicting counter resets during histogram \(operation)", at: place)
    }
    func sortInRange(at place: SourceRange) {
        warn("sort is ineffective for range queries since results are always ordered by labels", at: place)
    }
    func overlappingStart(_ metric: String, at place: SourceRange) {
        warn("sample has start time that overlaps with previous sample timestamp for metric \(metric.quoted)", at: place)
    }
    func reconciledBounds(during operation: String, at place: SourceRange) {
        inform("mismatched custom buckets were reconciled during \(operation)", at: place)
    }

    private static func named(_ metric: String) -> String {
        metric.isEmpty ? "" : " for metric name \(metric.quoted)"
    }
}
