import Codecs
import Telemetry

/// Makes native histograms with custom bounds of the classic ones in a text: of `_bucket`, `_sum` and `_count` lines one after the other
/// that have the same labels but for `le` (Prometheus, model/textparse, `NHCBParser`).
struct ClassicHistogramRun {
    /// A histogram that has been made, with the labels that it has beside its name.
    struct Converted {
        var sample: Int
        var labels: Labels
    }

    /// The family that the last `# TYPE` named.
    var family = ""
    /// The series of the histograms; in the result they stand behind the body.
    private(set) var written: [UInt8] = []
    private(set) var converted: [Converted] = []
    private let bodyByteCount: Int
    /// The labels of the lines at hand, without name and `le`; nil between runs.
    private var labels: Labels?
    private var buckets = ClassicBuckets()
    private var last: ExpositionResult.Sample?
    private var exemplars: [Exemplar] = []

    init(bodyByteCount: Int, options: ExpositionOptions) {
        self.bodyByteCount = bodyByteCount
    }

    /// Takes a line of a histogram.
    ///
    /// - Parameter isExemplarTimed: exemplars without a time of their own are left out, as of every native histogram.
    /// - Returns: whether it belongs to a classic histogram.
    mutating func take(
        _ sample: ExpositionResult.Sample, _ kind: MetricMetadata.Kind, isExemplarTimed: Bool, _ bytes: Span<UInt8>,
        _ result: inout ExpositionResult
    ) throws(DecodeError) -> Bool {
        guard kind == .histogram else {
            endRun(&result)
            return false
        }
        var own = try SeriesText.labels(bytes, sample.key, sample.form)
        let name = own[Labels.metricName] ?? ""
        let suffix = ["_bucket", "_sum", "_count"].first { name.hasSuffix($0) && name.dropLast($0.count) == family }
        let bound = own["le"].flatMap { text in
            let bytes = Array(text.utf8)
            return DecimalNumber.parse(bytes.span, 0..<bytes.count)
        }
        guard let suffix, suffix != "_bucket" || bound?.isNaN == false else {
            endRun(&result)
            return false
        }
        own[Labels.metricName] = nil
        own["le"] = nil
        if labels != own {
            endRun(&result)
            labels = own
        }
        last = sample
        if isExemplarTimed { exemplars += result.exemplars[sample.exemplars] }
        switch suffix {
        case "_bucket": buckets.add(bound: bound ?? .infinity, count: sample.value)
        case "_sum": buckets.set(sum: sample.value)
        default: buckets.set(count: sample.value)
        }
        return true
    }

    /// Makes the histogram of the lines at hand. What makes none is left out, as in Prometheus.
    mutating func endRun(_ result: inout ExpositionResult) {
        defer {
            (labels, last, exemplars) = (nil, nil, [])
            buckets = ClassicBuckets()
        }
        guard let labels, var sample = last, let histogram = buckets.histogram() else { return }
        let start = bodyByteCount + written.count
        SeriesText.write("", family, to: &written)
        SeriesText.write(labels, to: &written)
        sample.key = start..<bodyByteCount + written.count
        sample.form = .pairs
        sample.value = .nan
        sample.histogram = result.histograms.count
        result.histograms.append(histogram)
        sample.exemplars = result.exemplars.count..<result.exemplars.count + exemplars.count
        result.exemplars += exemplars
        converted.append(Converted(sample: result.samples.count, labels: labels))
        result.samples.append(sample)
    }

    /// Ends a family, whose histograms are then handed over.
    mutating func endFamily(_ result: inout ExpositionResult) -> [Converted] {
        endRun(&result)
        defer { converted = [] }
        return converted
    }
}
