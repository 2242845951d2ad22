import Codecs
import Formats
import Telemetry
import Testing

@Suite("Remote read")
struct RemoteReadTests {
    @Test("queries are read with their range and matchers")
    func decodes() throws {
        var writer = ProtobufWriter()
        writer.message(1) { query in
            query.int64(1, 1_000)
            query.int64(2, 2_000)
            for (kind, name, value) in [(UInt64(0), "__name__", "up"), (2, "job", "a|b"), (1, "x", "")] {
                query.message(3) { matcher in
                    matcher.uint64(1, kind)
                    matcher.string(2, name)
                    matcher.string(3, value)
                }
            }
        }
        writer.packedUInt64s(2, [0, 1])
        let bytes = writer.bytes
        let queries = try RemoteRead.decode(bytes.span)
        let query = try #require(queries.first)
        #expect(queries.count == 1 && query.range == TimeRange(1_000, 2_000))
        #expect(
            query.matchers == [
                LabelMatcher("__name__", .equal, "up"), LabelMatcher("job", .matches, "a|b"), LabelMatcher("x", .notEqual, ""),
            ])
    }

    @Test("a matcher of no known type is an error")
    func unknownMatcher() {
        var writer = ProtobufWriter()
        writer.message(1) { $0.message(3) { $0.uint64(1, 7) } }
        let bytes = writer.bytes
        #expect(throws: FormatError.self) {
            let copy = bytes
            _ = try RemoteRead.decode(copy.span)
        }
    }

    @Test("a result holds the series as a write request does")
    func encodes() throws {
        var batch = MetricBatch()
        let series = batch.addSeries(Labels(["__name__": "up", "job": "a"]))
        batch.append(series: series, timestamp: 5, value: 1)
        let bytes = RemoteRead.encode([batch, MetricBatch()])
        let span = bytes.span
        var reader = ProtobufReader(span)
        var results: [[UInt8]] = []
        while let field = try reader.next(in: span) {
            let message = try field.message("ReadResponse.results")
            let range = message.offset..<message.end
            results.append(Array(bytes[range]))
        }
        #expect(results.count == 2 && results[1].isEmpty)
        let first = results[0]
        let decoded = try RemoteWrite.decode(first.span)
        #expect(decoded.metrics.series == [Labels(["__name__": "up", "job": "a"])] && decoded.metrics.values == [1])
    }
}
