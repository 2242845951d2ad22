import Codecs
import Telemetry

/// Finds the start times of a family in OpenMetrics' `_created` lines (OpenMetrics 1.0, "Counter", "Histogram", "Summary").
struct CreatedSeries {
    /// The family that the last `# TYPE` named.
    var family = ""
    /// By labels without name, `le` and `quantile`: milliseconds since the Unix epoch.
    private var starts: [Labels: Int64] = [:]
    /// The first sample of the family.
    private var firstSample = 0

    /// Takes a `_created` line.
    ///
    /// - Returns: whether it is one; then it is no series.
    mutating func take(_ sample: ExpositionResult.Sample, _ kind: MetricMetadata.Kind, _ bytes: Span<UInt8>) throws(DecodeError) -> Bool {
        guard kind == .counter || kind == .histogram || kind == .summary else { return false }
        let name = SeriesText.metricName(bytes, sample.key, sample.form)
        guard name.hasSuffix("_created") else { return false }
        if name.dropLast("_created".count) == family, let start = Int64(exactly: (sample.value * 1_000).rounded(.towardZero)), start > 0 {
            starts[Self.bare(try SeriesText.labels(bytes, sample.key, sample.form))] = start
        }
        return true
    }

    /// Gives the samples of the family their start times.
    mutating func endFamily(
        _ result: inout ExpositionResult, _ converted: [ClassicHistogramRun.Converted], _ bytes: Span<UInt8>
    ) throws(DecodeError) {
        defer {
            starts = [:]
            firstSample = result.samples.count
        }
        guard !starts.isEmpty else { return }
        for index in firstSample..<result.samples.count where result.samples[index].form != .pairs {
            let labels = Self.bare(try SeriesText.labels(bytes, result.samples[index].key, result.samples[index].form))
            if let start = starts[labels] { result.samples[index].startTime = start }
        }
        for one in converted {
            if let start = starts[one.labels] { result.samples[one.sample].startTime = start }
        }
    }

    private static func bare(_ labels: Labels) -> Labels {
        Labels(sorted: labels.pairs.filter { $0.name != Labels.metricName && $0.name != "le" && $0.name != "quantile" })
    }
}
