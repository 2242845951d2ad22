import Codecs
import Telemetry

extension RemoteWrite {
    /// A `Histogram` message of either version.
    struct WireHistogram {
        var timestamp = Int64(0)
        /// 2.0 only; 0: not known.
        var startTimestamp = Int64(0)
        var histogram = NativeHistogram()
        /// Set where the message is whole but its parts contradict each other; ``histogram`` then means nothing.
        var complaint: DecodeError?
    }

    /// Reads a `prometheus.Histogram`.
    ///
    /// - Throws: ``DecodeError``, also where its parts contradict each other.
    static func histogram(_ field: ProtobufField, _ bytes: Span<UInt8>) throws(DecodeError) -> (Int64, NativeHistogram) {
        let read = try wireHistogram(field, bytes)
        if let complaint = read.complaint { throw complaint }
        return (read.timestamp, read.histogram)
    }

    /// Reads a `Histogram`: integer ones, whose buckets are deltas, become absolute counts.
    static func wireHistogram(_ field: ProtobufField, _ bytes: Span<UInt8>) throws(DecodeError) -> WireHistogram {
        var reader = try field.message("TimeSeries.histograms")
        var read = WireHistogram()
        var histogram = NativeHistogram()
        var (positive, negative) = (Buckets(), Buckets())
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: histogram.count = Double(try field.uint64("Histogram.count_int"))
            case 2: histogram.count = try field.double("Histogram.count_float")
            case 3: histogram.sum = try field.double("Histogram.sum")
            case 4: histogram.schema = try field.sint32("Histogram.schema")
            case 5: histogram.zeroThreshold = try field.double("Histogram.zero_threshold")
            case 6: histogram.zeroCount = Double(try field.uint64("Histogram.zero_count_int"))
            case 7: histogram.zeroCount = try field.double("Histogram.zero_count_float")
            case 8: negative.runs.append(try run(try field.message("Histogram.negative_spans"), bytes))
            case 9: try field.appendSInt64s("Histogram.negative_deltas", in: bytes, to: &negative.deltas)
            case 10: try field.appendDoubles("Histogram.negative_counts", in: bytes, to: &negative.counts)
            case 11: positive.runs.append(try run(try field.message("Histogram.positive_spans"), bytes))
            case 12: try field.appendSInt64s("Histogram.positive_deltas", in: bytes, to: &positive.deltas)
            case 13: try field.appendDoubles("Histogram.positive_counts", in: bytes, to: &positive.counts)
            case 14:
                let hint = try field.uint64("Histogram.reset_hint")
                histogram.resetHint = NativeHistogram.ResetHint(rawValue: UInt8(clamping: hint)) ?? .unknown
            case 15: read.timestamp = try field.int64("Histogram.timestamp")
            case 16: try field.appendDoubles("Histogram.custom_values", in: bytes, to: &histogram.customBounds)
            case 17: read.startTimestamp = try field.int64("Histogram.start_timestamp")
            default: break
            }
        }
        read.complaint = assemble(&histogram, positive, negative, field)
        read.histogram = histogram
        return read
    }

    /// Puts the buckets into `histogram`.
    ///
    /// - Returns: what is wrong with it; nil where nothing is.
    private static func assemble(
        _ histogram: inout NativeHistogram, _ positive: Buckets, _ negative: Buckets, _ field: ProtobufField
    ) -> DecodeError? {
        let isKnown = (-4...8).contains(histogram.schema) || histogram.schema == NativeHistogram.customBoundsSchema
        guard isKnown else {
            return field.error("Histogram.schema", "\(histogram.schema) is no schema: expected -4…8 or -53")
        }
        guard let positiveCounts = positive.absolute else { return field.error("Histogram.positive_spans", positive.complaint) }
        guard let negativeCounts = negative.absolute else { return field.error("Histogram.negative_spans", negative.complaint) }
        histogram.positiveRuns = positive.runs
        histogram.positiveCounts = positiveCounts
        histogram.negativeRuns = negative.runs
        histogram.negativeCounts = negativeCounts
        return nil
    }

    private static func run(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> NativeHistogram.Run {
        var reader = message
        var run = NativeHistogram.Run(offset: 0, length: 0)
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: run.offset = try field.sint32("BucketSpan.offset")
            case 2: run.length = try field.uint32("BucketSpan.length")
            default: break
            }
        }
        return run
    }

    /// One side's buckets as the wire has them: deltas of integers, or floating-point counts.
    private struct Buckets {
        var runs: [NativeHistogram.Run] = []
        var deltas: [Int64] = []
        var counts: [Double] = []

        var bucketCount: UInt64 { runs.reduce(0) { $0 &+ UInt64($1.length) } }

        /// The counts; nil where they are not as many as the spans have room for.
        var absolute: [Double]? {
            if deltas.isEmpty { return UInt64(counts.count) == bucketCount ? counts : nil }
            guard counts.isEmpty, UInt64(deltas.count) == bucketCount else { return nil }
            var count = Int64(0)
            return deltas.map { delta in
                count &+= delta
                return Double(count)
            }
        }

        var complaint: String {
            "the spans have room for \(bucketCount) buckets, but \(deltas.count) deltas and \(counts.count) counts came"
        }
    }
}
