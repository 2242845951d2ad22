import Codecs
import Telemetry

// Native histograms, exemplars and metadata as rows hold them. Byte for byte: docs/format/rows.md.

extension TextTableWriter {
    mutating func append(_ histogram: NativeHistogram) {
        body.append(histogram.resetHint.rawValue)
        body.append(signed: Int64(histogram.schema))
        for value in [histogram.zeroThreshold, histogram.zeroCount, histogram.count, histogram.sum] { body.append(double: value) }
        append(histogram.positiveRuns, histogram.positiveCounts)
        append(histogram.negativeRuns, histogram.negativeCounts)
        append(histogram.customBounds)
    }

    private mutating func append(_ runs: [NativeHistogram.Run], _ counts: [Double]) {
        body.append(count: runs.count)
        for run in runs {
            body.append(signed: Int64(run.offset))
            body.append(varint: UInt64(run.length))
        }
        append(counts)
    }

    private mutating func append(_ values: [Double]) {
        body.append(count: values.count)
        FloatColumn.append(values, to: &body)
    }

    mutating func append(_ exemplar: Exemplar) {
        append(exemplar.labels)
        body.append(double: exemplar.value)
        body.append(signed: exemplar.timestamp)
    }

    mutating func append(_ metadata: MetricMetadata) {
        for text in [metadata.family, metadata.kind.rawValue, metadata.help, metadata.unit] { append(text) }
    }
}

extension TextTableReader {
    mutating func histogram() throws(DecodeError) -> NativeHistogram {
        var histogram = NativeHistogram()
        guard let hint = NativeHistogram.ResetHint(rawValue: try body.byte("reset hint")) else {
            throw DecodeError(offset: body.offset, field: "reset hint", "none of 0…3")
        }
        histogram.resetHint = hint
        histogram.schema = try int32("schema")
        histogram.zeroThreshold = try body.double("zero threshold")
        histogram.zeroCount = try body.double("zero count")
        histogram.count = try body.double("count")
        histogram.sum = try body.double("sum")
        histogram.positiveRuns = try runs()
        histogram.positiveCounts = try floats("positive counts")
        histogram.negativeRuns = try runs()
        histogram.negativeCounts = try floats("negative counts")
        histogram.customBounds = try floats("custom bounds")
        return histogram
    }

    private mutating func int32(_ field: String) throws(DecodeError) -> Int32 {
        guard let value = Int32(exactly: try body.signed(field)) else {
            throw DecodeError(offset: body.offset, field: field, "beyond 32 bits")
        }
        return value
    }

    private mutating func runs() throws(DecodeError) -> [NativeHistogram.Run] {
        let count = try body.count("runs", byteCountMin: 2)
        var runs: [NativeHistogram.Run] = []
        for _ in 0..<count { runs.append(NativeHistogram.Run(offset: try int32("offset"), length: try body.uint32("length"))) }
        return runs
    }

    private mutating func floats(_ field: String) throws(DecodeError) -> [Double] {
        // Equal counts take next to no bytes each, so the bytes left say nothing about how many there may be.
        let count = try body.count(field, byteCountMin: 0)
        guard count <= Limits.histogramBucketCountMax else {
            throw DecodeError(offset: body.offset, field: field, "\(count) buckets, at most \(Limits.histogramBucketCountMax)")
        }
        return try body.floats(count)
    }

    mutating func exemplar() throws(DecodeError) -> Exemplar {
        Exemplar(labels: try labels(), value: try body.double("value"), timestamp: try body.signed("timestamp"))
    }

    mutating func metadata() throws(DecodeError) -> MetricMetadata {
        let family = try text("family")
        let kind = MetricMetadata.Kind(rawValue: try text("kind")) ?? .unknown
        return MetricMetadata(family: family, kind: kind, help: try text("help"), unit: try text("unit"))
    }
}
