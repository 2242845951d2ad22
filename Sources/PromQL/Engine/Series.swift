import Query
import Telemetry

/// The instants at which an expression is evaluated.
struct Steps: Sendable, Hashable {
    /// Milliseconds.
    var start: Int64
    var step: Int64
    var count: Int

    func time(_ index: Int) -> Int64 { start + Int64(index) * step }
    var end: Int64 { time(count - 1) }
}

/// No sample. The staleness marker serves: it never comes out of a selector, and no arithmetic makes it, because it is a
/// signalling NaN, which every operation turns into a quiet one.
enum Absent {
    static let value = Staleness.marker

    @inline(__always)
    static func holds(_ value: Double) -> Bool { value.bitPattern == Staleness.bits }
}

/// One series of an instant vector: a column with a value for each step.
struct Series: Sendable {
    var labels: Labels
    /// The metric's name no longer fits and goes at the query's end (delayed name removal).
    var dropsName = false
    /// ``Absent`` where there is no float.
    var values: [Double]
    /// Empty where the series has no histogram at any step.
    var histograms: [NativeHistogram?] = []

    init(labels: Labels, dropsName: Bool = false, values: [Double], histograms: [NativeHistogram?] = []) {
        self.labels = labels
        self.dropsName = dropsName
        self.values = values
        self.histograms = histograms
    }

    /// A series without samples.
    init(labels: Labels, dropsName: Bool = false, stepCount: Int) {
        self.init(labels: labels, dropsName: dropsName, values: Array(repeating: Absent.value, count: stepCount))
    }

    var metricName: String { labels[Labels.metricName] ?? "" }
    var hasHistograms: Bool { !histograms.isEmpty }

    func hasSample(at step: Int) -> Bool {
        !Absent.holds(values[step]) || (hasHistograms && histograms[step] != nil)
    }

    func histogram(at step: Int) -> NativeHistogram? { hasHistograms ? histograms[step] : nil }

    var isEmpty: Bool {
        for value in values where !Absent.holds(value) { return false }
        return !hasHistograms || histograms.allSatisfy { $0 == nil }
    }

    mutating func set(_ histogram: NativeHistogram?, at step: Int) {
        if histograms.isEmpty {
            if histogram == nil { return }
            histograms = Array(repeating: nil, count: values.count)
        }
        histograms[step] = histogram
        if histogram != nil { values[step] = Absent.value }
    }

    mutating func remove(at step: Int) {
        values[step] = Absent.value
        if hasHistograms { histograms[step] = nil }
    }

    /// The first step's sample at each of `count` steps.
    func repeated(_ count: Int) -> Series {
        var result = self
        result.values = Array(repeating: values[0], count: count)
        if hasHistograms { result.histograms = Array(repeating: histograms[0], count: count) }
        return result
    }
}

/// The value of an expression at all steps.
enum Value: Sendable {
    case scalar([Double])
    case string(String)
    case vector([Series])
}

extension Labels {
    /// Labels that describe the metric rather than the series: gone where the value is no longer the metric's.
    static let metadataNames: Set<String> = [Labels.metricName, "__type__", "__unit__"]

    var withoutMetadata: Labels {
        for pair in pairs where pair.name.utf8.starts(with: "__".utf8) && Labels.metadataNames.contains(pair.name) {
            return dropping(Labels.metadataNames)
        }
        return self
    }
}

extension [Series] {
    /// One series for each label set. Series of one label set are put together where they never have samples at the same step.
    ///
    /// - Throws: ``QueryError`` where they have.
    func merged() throws(QueryError) -> [Series] {
        guard count > 1 else { return self }
        var positions: [Labels: Int] = [:]
        positions.reserveCapacity(count)
        var isUnique = true
        for (index, series) in enumerated() where positions.updateValue(index, forKey: series.labels) != nil {
            isUnique = false
            break
        }
        if isUnique { return self }
        positions.removeAll(keepingCapacity: true)
        var result: [Series] = []
        for series in self {
            guard let position = positions[series.labels] else {
                positions[series.labels] = result.count
                result.append(series)
                continue
            }
            for step in series.values.indices where series.hasSample(at: step) {
                guard !result[position].hasSample(at: step) else {
                    throw QueryError(.execution, "vector cannot contain metrics with the same labelset")
                }
                result[position].values[step] = series.values[step]
                result[position].set(series.histogram(at: step), at: step)
            }
        }
        return result
    }
}
