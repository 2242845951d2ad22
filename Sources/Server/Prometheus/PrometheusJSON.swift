import Codecs
import PromQL
import Telemetry

/// Prometheus' JSON to the letter (web/api/v1, util/jsonutil): every client parses exactly this.
struct PrometheusJSON {
    private(set) var json = JSONWriter()

    /// `{"status":"success","data":…}` around what `data` writes.
    static func success(
        warnings: [String] = [], infos: [String] = [], _ data: (inout PrometheusJSON) throws -> Void
    ) rethrows -> Answer {
        var answer = PrometheusJSON()
        answer.json.beginObject()
        answer.json.field("status", "success")
        answer.json.key("data")
        try data(&answer)
        if !warnings.isEmpty { answer.json.field("warnings", warnings) }
        if !infos.isEmpty { answer.json.field("infos", infos) }
        answer.json.endObject()
        return .json(answer.json.bytes)
    }

    /// Gives the writer itself to `body`.
    mutating func write(_ body: (inout JSONWriter) throws -> Void) rethrows {
        try body(&json)
    }

    mutating func value(_ value: PromQLValue, statistics: ((inout JSONWriter) -> Void)? = nil) {
        json.beginObject()
        switch value {
        case .scalar(let timestamp, let number):
            json.field("resultType", "scalar")
            json.key("result")
            point(timestamp, number)
        case .string(let timestamp, let text):
            json.field("resultType", "string")
            json.key("result")
            json.beginArray()
            json.raw(Self.timestamp(timestamp))
            json.string(text)
            json.endArray()
        case .vector(let samples):
            json.field("resultType", "vector")
            json.key("result")
            json.beginArray()
            for sample in samples { self.sample(sample) }
            json.endArray()
        case .matrix(let series):
            json.field("resultType", "matrix")
            json.key("result")
            json.beginArray()
            for one in series { self.series(one) }
            json.endArray()
        }
        statistics?(&json)
        json.endObject()
    }

    private mutating func sample(_ sample: VectorSample) {
        json.beginObject()
        json.key("metric")
        json.labels(sample.labels)
        switch sample.value {
        case .float(let number):
            json.key("value")
            point(sample.timestamp, number)
        case .histogram(let histogram):
            json.key("histogram")
            point(sample.timestamp, histogram)
        }
        json.endObject()
    }

    private mutating func series(_ series: SeriesPoints) {
        json.beginObject()
        json.key("metric")
        json.labels(series.labels)
        if !series.timestamps.isEmpty {
            json.key("values")
            json.beginArray()
            for index in series.timestamps.indices { point(series.timestamps[index], series.values[index]) }
            json.endArray()
        }
        if !series.histograms.isEmpty {
            json.key("histograms")
            json.beginArray()
            for (timestamp, histogram) in zip(series.histogramTimestamps, series.histograms) { point(timestamp, histogram) }
            json.endArray()
        }
        json.endObject()
    }

    private mutating func point(_ timestamp: Int64, _ value: Double) {
        json.beginArray()
        json.number { Self.append(timestamp: timestamp, to: &$0) }
        if Self.hasExponent(value) {
            json.string(PromQLNumber.formatGeneral(value))
        } else {
            json.plainString { DecimalNumber.append(value, to: &$0) }
        }
        json.endArray()
    }

    private mutating func point(_ timestamp: Int64, _ histogram: NativeHistogram) {
        json.beginArray()
        json.raw(Self.timestamp(timestamp))
        json.beginObject()
        json.field("count", Self.number(histogram.count))
        json.field("sum", Self.number(histogram.sum))
        let buckets = HistogramBuckets.nonEmpty(histogram)
        if !buckets.isEmpty {
            json.key("buckets")
            json.beginArray()
            for bucket in buckets {
                json.beginArray()
                json.integer(bucket.boundaries.rawValue)
                json.string(Self.number(bucket.lower))
                json.string(Self.number(bucket.upper))
                json.string(Self.number(bucket.count))
                json.endArray()
            }
            json.endArray()
        }
        json.endObject()
        json.endArray()
    }

    /// Milliseconds as seconds with three digits of fraction, or none (util/jsonutil, `MarshalTimestamp`).
    static func timestamp(_ milliseconds: Int64) -> String {
        var bytes: [UInt8] = []
        append(timestamp: milliseconds, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func append(timestamp milliseconds: Int64, to bytes: inout [UInt8]) {
        if milliseconds < 0 { bytes.append(UInt8(ascii: "-")) }
        let (seconds, fraction) = milliseconds.magnitude.quotientAndRemainder(dividingBy: 1_000)
        DecimalNumber.appendInteger(seconds, to: &bytes)
        guard fraction != 0 else { return }
        bytes.append(UInt8(ascii: "."))
        if fraction < 100 { bytes.append(UInt8(ascii: "0")) }
        if fraction < 10 { bytes.append(UInt8(ascii: "0")) }
        DecimalNumber.appendInteger(fraction, to: &bytes)
    }

    /// A value's text: with an exponent below 1e-6 and from 1e21 on (util/jsonutil, `MarshalFloat`).
    static func number(_ value: Double) -> String {
        hasExponent(value) ? PromQLNumber.formatGeneral(value) : DecimalNumber.text(value)
    }

    private static func hasExponent(_ value: Double) -> Bool {
        let magnitude = value.magnitude
        return magnitude.isFinite && magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21)
    }
}
