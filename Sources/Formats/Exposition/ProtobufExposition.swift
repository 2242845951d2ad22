import Codecs
import Telemetry

/// Decodes the messages `io.prometheus.client.MetricFamily`, each with its length before it (client_model, io/prometheus/client/metrics.proto).
///
/// Series come in Prometheus' order: of a histogram or summary `_count`, `_sum`, then its buckets or quantiles; a native histogram before
/// its classic buckets (model/textparse, `ProtobufParser`).
struct ProtobufExposition {
    /// `MetricType` of the wire.
    enum Kind: UInt64 {
        case counter = 0
        case gauge
        case summary
        case untyped
        case histogram
        case gaugeHistogram

        var metadata: MetricMetadata.Kind {
            switch self {
            case .counter: .counter
            case .gauge: .gauge
            case .summary: .summary
            case .untyped: .unknown
            case .histogram: .histogram
            case .gaugeHistogram: .gaugeHistogram
            }
        }
    }

    let options: ExpositionOptions
    var result = ExpositionResult(format: .protobuf)
    /// The series' bytes, one after the other.
    private var written: [UInt8] = []
    /// The labels of the metric at hand, as they stand behind its name in ``written``.
    private var labels: [UInt8] = []
    private var timestamp: Int64 = 0
    private var hasOwnTimestamp = false
    private var startTime: Int64 = 0

    init(options: ExpositionOptions) {
        self.options = options
    }

    mutating func decode(_ bytes: Span<UInt8>) throws(DecodeError) -> ExpositionResult {
        var offset = 0
        while offset < bytes.count {
            let start = offset
            let count = try Varint.read(bytes, at: &offset, end: bytes.count)
            guard count <= UInt64(bytes.count - offset) else {
                throw DecodeError(
                    offset: start, field: "MetricFamily", "its length is \(count), but \(bytes.count - offset) bytes are left: cut short")
            }
            try family(offset..<offset + Int(count), bytes)
            offset += Int(count)
        }
        result.bytes = written
        return result
    }

    // MARK: Families

    private mutating func family(_ range: Range<Int>, _ bytes: Span<UInt8>) throws(DecodeError) {
        var reader = ProtobufReader(range)
        var metrics: [Range<Int>] = []
        var metadata = MetricMetadata(family: "", kind: .unknown)
        var kind = Kind.counter
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: metadata.family = try field.validString("MetricFamily.name", in: bytes)
            case 2: metadata.help = try field.validString("MetricFamily.help", in: bytes)
            case 3:
                let number = try field.uint64("MetricFamily.type")
                guard let known = Kind(rawValue: number) else { throw field.error("MetricFamily.type", "\(number) is no type of a metric") }
                kind = known
            case 4: metrics.append(try field.range("MetricFamily.metric"))
            case 5: metadata.unit = try field.validString("MetricFamily.unit", in: bytes)
            default: break
            }
        }
        // Families without metrics say nothing, not even what they would be.
        guard !metrics.isEmpty else { return }
        guard !metadata.family.isEmpty else { throw DecodeError(offset: range.lowerBound, field: "MetricFamily.name", "the family has no name") }
        metadata.kind = kind.metadata
        result.metadata.append(metadata)
        for metric in metrics { try self.metric(metric, metadata.family, kind, bytes) }
    }

    private mutating func metric(_ range: Range<Int>, _ family: String, _ kind: Kind, _ bytes: Span<UInt8>) throws(DecodeError) {
        labels.removeAll(keepingCapacity: true)
        (timestamp, hasOwnTimestamp, startTime) = (options.defaultTimestamp, false, 0)
        var value: ProtobufField?
        var reader = ProtobufReader(range)
        while let field = try reader.next(in: bytes) {
            switch (field.number, kind) {
            case (1, _): try label(try field.message("Metric.label"), bytes)
            case (6, _):
                let written = try field.int64("Metric.timestamp_ms")
                // The sender's 0 means none: the message cannot say it otherwise.
                if written != 0, options.honorTimestamps { (timestamp, hasOwnTimestamp) = (written, true) }
            case (2, .gauge), (3, .counter), (4, .summary), (5, .untyped), (7, .histogram), (7, .gaugeHistogram): value = field
            default: break
            }
        }
        switch kind {
        case .gauge, .untyped: try simple(value, family, bytes)
        case .counter: try counter(value, family, bytes)
        case .summary: try summary(value, family, bytes)
        case .histogram, .gaugeHistogram: try histogram(value, family, isGauge: kind == .gaugeHistogram, range.lowerBound, bytes)
        }
    }

    private mutating func label(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) {
        let label = try Self.labelPair(message, bytes)
        SeriesText.write(label.name, label.value, to: &labels)
    }

    private static func labelPair(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> Label {
        var reader = message
        var label = Label("", "")
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: label.name = try field.validString("LabelPair.name", in: bytes)
            case 2: label.value = try field.validString("LabelPair.value", in: bytes)
            default: break
            }
        }
        guard !label.name.isEmpty else { throw DecodeError(offset: message.offset, field: "LabelPair.name", "a label has no name") }
        return label
    }

    // MARK: Values

    private mutating func simple(_ field: ProtobufField?, _ family: String, _ bytes: Span<UInt8>) throws(DecodeError) {
        var value = 0.0
        if let field {
            var reader = try field.message("Metric.gauge")
            while let field = try reader.next(in: bytes) {
                if field.number == 1 { value = try field.double("Gauge.value") }
            }
        }
        append(family, value)
    }

    private mutating func counter(_ field: ProtobufField?, _ family: String, _ bytes: Span<UInt8>) throws(DecodeError) {
        var value = 0.0
        var exemplars: [TimedExemplar] = []
        if let field {
            var reader = try field.message("Metric.counter")
            while let field = try reader.next(in: bytes) {
                switch field.number {
                case 1: value = try field.double("Counter.value")
                case 2: exemplars = [try exemplar(try field.message("Counter.exemplar"), bytes)]
                case 3: try start(try field.message("Counter.start_timestamp"), bytes)
                default: break
                }
            }
        }
        append(family, value, exemplars: exemplars)
    }

    private mutating func summary(_ field: ProtobufField?, _ family: String, _ bytes: Span<UInt8>) throws(DecodeError) {
        var (count, sum) = (UInt64(0), 0.0)
        var quantiles: [(quantile: Double, value: Double)] = []
        if let field {
            var reader = try field.message("Metric.summary")
            while let field = try reader.next(in: bytes) {
                switch field.number {
                case 1: count = try field.uint64("Summary.sample_count")
                case 2: sum = try field.double("Summary.sample_sum")
                case 3:
                    var pair = (quantile: 0.0, value: 0.0)
                    var reader = try field.message("Summary.quantile")
                    while let field = try reader.next(in: bytes) {
                        if field.number == 1 { pair.quantile = try field.double("Quantile.quantile") }
                        if field.number == 2 { pair.value = try field.double("Quantile.value") }
                    }
                    quantiles.append(pair)
                case 4: try start(try field.message("Summary.start_timestamp"), bytes)
                default: break
                }
            }
        }
        append(family + "_count", Double(count))
        append(family + "_sum", sum)
        for pair in quantiles { append(family, pair.value, "quantile", OpenMetricsNumber.text(pair.quantile)) }
    }

    // MARK: Parts

    /// An exemplar, and whether it says when it was.
    struct TimedExemplar {
        var exemplar: Exemplar
        var hasTime: Bool
    }

    func exemplar(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> TimedExemplar {
        var reader = message
        var labels: [Label] = []
        var (value, time) = (0.0, Int64?.none)
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: labels.append(try Self.labelPair(try field.message("Exemplar.label"), bytes))
            case 2: value = try field.double("Exemplar.value")
            case 3: time = try Self.milliseconds(try field.message("Exemplar.timestamp"), bytes)
            default: break
            }
        }
        return TimedExemplar(exemplar: Exemplar(labels: Labels(labels), value: value, timestamp: time ?? timestamp), hasTime: time != nil)
    }

    mutating func start(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) {
        guard options.readsStartTimes else { return }
        startTime = max(0, try Self.milliseconds(message, bytes))
    }

    /// A `google.protobuf.Timestamp`.
    private static func milliseconds(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> Int64 {
        var reader = message
        var (seconds, nanoseconds) = (Int64(0), Int32(0))
        while let field = try reader.next(in: bytes) {
            if field.number == 1 { seconds = try field.int64("Timestamp.seconds") }
            if field.number == 2 { nanoseconds = try field.int32("Timestamp.nanos") }
        }
        return seconds &* 1_000 &+ Int64(nanoseconds / 1_000_000)
    }

    /// Adds a number of the metric at hand, with one label more where `name` is given.
    mutating func append(_ metric: String, _ value: Double, _ name: String = "", _ label: String = "", exemplars: [TimedExemplar] = []) {
        let start = written.count
        SeriesText.write("", metric, to: &written)
        written += labels
        if !name.isEmpty { SeriesText.write(name, label, to: &written) }
        add(start, value, nil, exemplars)
    }

    /// Adds a native histogram of the metric at hand; only exemplars that say when they were are kept.
    mutating func append(_ metric: String, _ histogram: NativeHistogram, exemplars: [TimedExemplar]) {
        let start = written.count
        SeriesText.write("", metric, to: &written)
        written += labels
        result.histograms.append(histogram)
        add(start, .nan, result.histograms.count - 1, exemplars.filter(\.hasTime))
    }

    private mutating func add(_ start: Int, _ value: Double, _ histogram: Int?, _ exemplars: [TimedExemplar]) {
        var sample = ExpositionResult.Sample(
            key: start..<written.count, form: .pairs, value: value, timestamp: timestamp, hasOwnTimestamp: hasOwnTimestamp)
        sample.startTime = startTime
        sample.histogram = histogram
        sample.exemplars = result.exemplars.count..<result.exemplars.count + exemplars.count
        result.exemplars += exemplars.map(\.exemplar)
        result.samples.append(sample)
    }
}
