import Codecs
import Telemetry

/// `io.prometheus.client.Histogram` as it came: classic buckets, a native histogram, or both.
private struct WireHistogram {
    struct Bucket {
        var bound = 0.0
        var count = 0.0
        var exemplar: ProtobufExposition.TimedExemplar?
    }

    /// One side of a native histogram.
    struct Side {
        var runs: [NativeHistogram.Run] = []
        var deltas: [Int64] = []
        var counts: [Double] = []

        /// Integer buckets with what they sum up to.
        var integers: (counts: [Double], total: UInt64)? {
            var (count, total) = (Int64(0), UInt64(0))
            var counts: [Double] = []
            counts.reserveCapacity(deltas.count)
            for delta in deltas {
                count &+= delta
                guard count >= 0 else { return nil }
                total &+= UInt64(count)
                counts.append(Double(count))
            }
            return (counts, total)
        }
    }

    var count: UInt64 = 0
    var countFloat = 0.0
    var sum = 0.0
    var buckets: [Bucket] = []
    var schema: Int32 = 0
    var zeroThreshold = 0.0
    var zeroCount: UInt64 = 0
    var zeroCountFloat = 0.0
    var positive = Side()
    var negative = Side()
    var exemplars: [ProtobufExposition.TimedExemplar] = []

    /// A float count wins where there is one.
    var total: Double { countFloat != 0 ? countFloat : Double(count) }
    var isFloat: Bool { countFloat > 0 || zeroCountFloat > 0 }

    /// Whether there is a native part (model/textparse, `isNativeHistogram`): one without observations says so with an empty span.
    var isNative: Bool { !positive.runs.isEmpty || !negative.runs.isEmpty || zeroThreshold > 0 || zeroCount > 0 }

    /// The native part.
    ///
    /// - Throws: what is wrong with it, in words.
    func native(isGauge: Bool) throws(HistogramFlaw) -> NativeHistogram {
        var histogram = NativeHistogram(schema: schema, zeroThreshold: zeroThreshold, sum: sum)
        histogram.positiveRuns = positive.runs
        histogram.negativeRuns = negative.runs
        if isFloat {
            (histogram.count, histogram.zeroCount) = (countFloat, zeroCountFloat)
            (histogram.positiveCounts, histogram.negativeCounts) = (positive.counts, negative.counts)
        } else {
            guard let positive = positive.integers, let negative = negative.integers else {
                throw HistogramFlaw("histogram has a bucket whose observation count is negative")
            }
            (histogram.count, histogram.zeroCount) = (Double(count), Double(zeroCount))
            (histogram.positiveCounts, histogram.negativeCounts) = (positive.counts, negative.counts)
            // A sum of NaN comes of an observation that is in no bucket.
            let found = positive.total &+ negative.total &+ zeroCount
            guard sum.isNaN ? found <= count : found == count else {
                throw HistogramFlaw("\(found) observations found in buckets, but the Count field is \(count)")
            }
        }
        if let flaw = histogram.flaw { throw HistogramFlaw(flaw) }
        histogram.compact()
        histogram.coarsen(to: NativeHistogram.schemas.upperBound)
        if isGauge { histogram.resetHint = .gauge }
        return histogram
    }

    /// The classic buckets as a native histogram with custom bounds.
    func converted(isGauge: Bool) throws(HistogramFlaw) -> NativeHistogram {
        var classic = ClassicBuckets()
        classic.set(count: total)
        classic.set(sum: sum)
        for bucket in buckets { classic.add(bound: bucket.bound, count: bucket.count) }
        guard var histogram = classic.histogram() else { throw HistogramFlaw(classic.flaw ?? "") }
        if isGauge { histogram.resetHint = .gauge }
        return histogram
    }
}

/// What is wrong with a histogram, in words.
private struct HistogramFlaw: Error {
    var text: String

    init(_ text: String) {
        self.text = text
    }
}

extension ProtobufExposition {
    mutating func histogram(
        _ field: ProtobufField?, _ family: String, isGauge: Bool, _ place: Int, _ bytes: Span<UInt8>
    ) throws(DecodeError) {
        let wire = try field.map { field throws(DecodeError) in try histogram(field, bytes) } ?? WireHistogram()
        let isNative = options.readsNativeHistograms && wire.isNative
        do throws(HistogramFlaw) {
            if isNative {
                let bucketExemplars = wire.buckets.compactMap(\.exemplar)
                append(family, try wire.native(isGauge: isGauge), exemplars: wire.exemplars.isEmpty ? bucketExemplars : wire.exemplars)
                if options.keepsClassicHistograms, !wire.buckets.isEmpty { appendClassic(wire, family) }
                return
            }
            if !options.convertsClassicHistograms || options.keepsClassicHistograms { appendClassic(wire, family) }
            if options.convertsClassicHistograms {
                append(family, try wire.converted(isGauge: isGauge), exemplars: wire.buckets.compactMap(\.exemplar))
            }
        } catch {
            throw DecodeError(offset: place, field: "Metric.histogram", "histogram \"\(family)\": \(error.text)")
        }
    }

    private mutating func appendClassic(_ wire: WireHistogram, _ family: String) {
        append(family + "_count", wire.total)
        append(family + "_sum", wire.sum)
        for bucket in wire.buckets {
            append(
                family + "_bucket", bucket.count, "le", OpenMetricsNumber.text(bucket.bound), exemplars: bucket.exemplar.map { [$0] } ?? [])
            // What comes behind the last bound is none any more.
            if bucket.bound == .infinity { return }
        }
        append(family + "_bucket", wire.total, "le", "+Inf")
    }

    private mutating func histogram(_ field: ProtobufField, _ bytes: Span<UInt8>) throws(DecodeError) -> WireHistogram {
        var reader = try field.message("Metric.histogram")
        var histogram = WireHistogram()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: histogram.count = try field.uint64("Histogram.sample_count")
            case 2: histogram.sum = try field.double("Histogram.sample_sum")
            case 3: histogram.buckets.append(try bucket(try field.message("Histogram.bucket"), bytes))
            case 4: histogram.countFloat = try field.double("Histogram.sample_count_float")
            case 5: histogram.schema = try field.sint32("Histogram.schema")
            case 6: histogram.zeroThreshold = try field.double("Histogram.zero_threshold")
            case 7: histogram.zeroCount = try field.uint64("Histogram.zero_count")
            case 8: histogram.zeroCountFloat = try field.double("Histogram.zero_count_float")
            case 9: histogram.negative.runs.append(try Self.run(try field.message("Histogram.negative_span"), bytes))
            case 10: try field.appendSInt64s("Histogram.negative_delta", in: bytes, to: &histogram.negative.deltas)
            case 11: try field.appendDoubles("Histogram.negative_count", in: bytes, to: &histogram.negative.counts)
            case 12: histogram.positive.runs.append(try Self.run(try field.message("Histogram.positive_span"), bytes))
            case 13: try field.appendSInt64s("Histogram.positive_delta", in: bytes, to: &histogram.positive.deltas)
            case 14: try field.appendDoubles("Histogram.positive_count", in: bytes, to: &histogram.positive.counts)
            case 15: try start(try field.message("Histogram.start_timestamp"), bytes)
            case 16: histogram.exemplars.append(try exemplar(try field.message("Histogram.exemplars"), bytes))
            default: break
            }
        }
        return histogram
    }

    private func bucket(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> WireHistogram.Bucket {
        var reader = message
        var bucket = WireHistogram.Bucket()
        var countFloat = 0.0
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: bucket.count = Double(try field.uint64("Bucket.cumulative_count"))
            case 2: bucket.bound = try field.double("Bucket.upper_bound")
            case 3: bucket.exemplar = try exemplar(try field.message("Bucket.exemplar"), bytes)
            case 4: countFloat = try field.double("Bucket.cumulative_count_float")
            default: break
            }
        }
        if countFloat != 0 { bucket.count = countFloat }
        return bucket
    }

    private static func run(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> NativeHistogram.Run {
        var reader = message
        var run = NativeHistogram.Run(offset: 0, length: 0)
        while let field = try reader.next(in: bytes) {
            if field.number == 1 { run.offset = try field.sint32("BucketSpan.offset") }
            if field.number == 2 { run.length = try field.uint32("BucketSpan.length") }
        }
        return run
    }
}
