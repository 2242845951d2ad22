import Codecs
import Formats
import Telemetry
import TestSupport
import Testing

@Suite("Remote write")
struct RemoteWriteTests {
    @Test(
        "Prometheus' requests decode to every sample, histogram, exemplar and metadata that was sent",
        .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)),
        arguments: Captures.all("prometheus.WriteRequest"))
    func captures(capture: Captures.Capture) throws {
        let message = try capture.message()
        let batch = try RemoteWrite.decode(message.span).metrics
        let expected = try capture.expected()
        let series = expected["timeseries"].elements
        #expect(batch.series == series.map { Self.labels($0["labels"]) })
        let samples = series.enumerated().flatMap { index, series in series["samples"].elements.map { (index, $0) } }
        #expect(batch.sampleSeries.map(Int.init) == samples.map(\.0))
        #expect(batch.timestamps == samples.map { $0.1["timestamp"].proto64 })
        #expect(batch.values.count == samples.count)
        #expect(zip(batch.values, samples).allSatisfy { $0.isSame(as: $1.1["value"].protoDouble) })
        let exemplars = series.flatMap { $0["exemplars"].elements }
        #expect(batch.exemplars.map(\.exemplar) == exemplars.map {
            Exemplar(labels: Self.labels($0["labels"]), value: $0["value"].protoDouble, timestamp: $0["timestamp"].proto64)
        })
        let histograms = series.flatMap { $0["histograms"].elements }
        #expect(batch.histograms.count == histograms.count)
        for ((_, timestamp, histogram), json) in zip(batch.histograms, histograms) {
            #expect(timestamp == json["timestamp"].proto64)
            Self.compare(histogram, json)
        }
        #expect(batch.metadata.map(\.family) == expected["metadata"].elements.map { $0["metricFamilyName"].text })
        #expect(batch.metadata.map { $0.kind.rawValue.uppercased() } == expected["metadata"].elements.map { $0["type"].map { $0.string ?? "" } ?? "UNKNOWN" })
        #expect(batch.metadata.map(\.help) == expected["metadata"].elements.map { $0["help"].text })
    }

    static func labels(_ json: JSONValue?) -> Labels {
        Labels(json.elements.map { Label($0["name"].text, $0["value"].text) })
    }

    static func compare(_ histogram: NativeHistogram, _ json: JSONValue) {
        #expect(histogram.sum.isSame(as: json["sum"].protoDouble))
        #expect(histogram.schema == Int32(json["schema"].proto64))
        #expect(histogram.zeroThreshold == json["zeroThreshold"].protoDouble)
        #expect(histogram.count == Double(json["countInt"].proto64))
        #expect(histogram.zeroCount == Double(json["zeroCountInt"].proto64))
        #expect(histogram.positiveRuns.map { Int64($0.offset) } == json["positiveSpans"].elements.map { $0["offset"].proto64 })
        #expect(histogram.positiveRuns.map { Int64($0.length) } == json["positiveSpans"].elements.map { $0["length"].proto64 })
        var count = 0.0
        #expect(histogram.positiveCounts == json["positiveDeltas"].elements.map { delta in
            count += Double(delta.proto64)
            return count
        })
    }

    /// One of everything.
    static let batch: MetricBatch = {
        var batch = MetricBatch()
        let up = batch.addSeries(Labels(["__name__": "up", "job": "żółw", "instance": "a:1"]))
        batch.append(series: up, timestamp: 1_795_352_858_357, value: 1)
        batch.append(series: up, timestamp: 1_795_352_858_358, value: Staleness.marker)
        batch.append(series: up, timestamp: -5, value: -.infinity)
        let histogram = batch.addSeries(Labels(["__name__": "h"]))
        batch.histograms.append(
            (
                histogram, 7,
                NativeHistogram(
                    schema: -53, zeroThreshold: 0.5, zeroCount: 2, count: 9.5, sum: -3, positiveRuns: [.init(offset: -4, length: 1), .init(offset: 2, length: 2)],
                    positiveCounts: [1, 2.5, 3], negativeRuns: [.init(offset: 0, length: 1)], negativeCounts: [1], customBounds: [1, 2], resetHint: .gauge)
            ))
        batch.exemplars.append((histogram, Exemplar(labels: Labels(["trace_id": "abc"]), value: 2, timestamp: 6)))
        batch.metadata = MetricMetadata.Kind.allCases.map { MetricMetadata(family: "f", kind: $0, help: "h\"", unit: "seconds") }
        return batch
    }()

    @Test("reads back what it writes")
    func roundTrip() throws {
        let decoded = try RemoteWrite.decode(RemoteWrite.encode(Self.batch).span).metrics
        #expect(decoded.series == Self.batch.series)
        #expect(decoded.sampleSeries == Self.batch.sampleSeries)
        #expect(decoded.timestamps == Self.batch.timestamps)
        #expect(decoded.values.map(\.bitPattern) == Self.batch.values.map(\.bitPattern))
        #expect(decoded.histograms.map(\.histogram) == Self.batch.histograms.map(\.histogram))
        #expect(decoded.histograms.map(\.timestamp) == Self.batch.histograms.map(\.timestamp))
        #expect(decoded.exemplars.map(\.exemplar) == Self.batch.exemplars.map(\.exemplar))
        #expect(decoded.metadata == Self.batch.metadata)
    }

    @Test("labels may come after samples and in any order")
    func order() throws {
        var writer = ProtobufWriter()
        writer.message(1) { writer in
            writer.message(2) { $0.double(1, 5) }
            for (name, value) in [("b", "2"), ("__name__", "m")] {
                writer.message(1) { writer in
                    writer.string(1, name)
                    writer.string(2, value)
                }
            }
        }
        let batch = try RemoteWrite.decode(writer.bytes.span).metrics
        #expect(batch.series == [Labels(["__name__": "m", "b": "2"])])
        #expect(batch.values == [5])
    }

    @Test("an integer histogram's deltas become counts")
    func deltas() throws {
        var writer = ProtobufWriter()
        writer.message(1) { writer in
            writer.message(1) { $0.string(1, "a") }
            writer.message(4) { writer in
                writer.uint64(1, 10)
                writer.uint64(6, 3)
                writer.message(11) { $0.uint32(2, 3) }
                writer.packedSInt64s(12, [2, -1, 3])
            }
        }
        let histogram = try #require(try RemoteWrite.decode(writer.bytes.span).metrics.histograms.first?.histogram)
        #expect(histogram.positiveCounts == [2, 1, 4])
        #expect(histogram.count == 10)
        #expect(histogram.zeroCount == 3)
    }

    static func bytes(_ body: (inout ProtobufWriter) -> Void) -> [UInt8] {
        var writer = ProtobufWriter()
        body(&writer)
        return writer.bytes
    }

    @Test(
        "names the field of what is broken",
        arguments: [
            (bytes { $0.message(1) { _ in } }, "TimeSeries.labels"), (bytes { $0.message(1) { $0.message(1) { $0.string(2, "v") } } }, "Label.name"),
            (bytes { $0.message(1) { $0.message(1) { $0.bytes(1, [0xff]) } } }, "Label.name"),
            (bytes { $0.message(1) { $0.message(2) { $0.uint64(1, 5) } } }, "Sample.value"),
            (bytes { $0.message(1) { $0.message(4) { $0.sint32(4, 9) } } }, "Histogram.schema"),
            (bytes { $0.message(1) { $0.message(4) { $0.message(11) { $0.uint32(2, .max) } } } }, "Histogram.positive_spans"),
            (bytes { $0.message(1) { $0.message(4) { $0.packedDoubles(10, [1]) } } }, "Histogram.negative_spans"),
        ])
    func errors(bytes: [UInt8], field: String) {
        let error = #expect(throws: FormatError.self) { try RemoteWrite.decode(bytes.span) }
        #expect(error?.field == field)
        #expect(error?.format == "remote write")
    }

    @Test("survives every truncation and flipped bit")
    func damage() {
        Damage.both(RemoteWrite.encode(Self.batch)) { _ = try? RemoteWrite.decode($0.span) }
    }
}
