import Codecs
import Formats
import Telemetry
import TestSupport
import Testing

@Suite("Loki push")
struct LokiPushTests {
    @Test(
        "protobuf pushes of Loki's own clients decode to every line",
        .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)),
        arguments: Captures.all("logproto.PushRequest"))
    func captures(capture: Captures.Capture) throws {
        let message = try capture.message()
        let batch = try LokiPush.decodeProtobuf(message.span)
        let expected = try capture.expected()["streams"].elements
        #expect(batch.streams.map(\.labels) == (try expected.map { try LokiLabels.parse($0["labels"].text) }))
        for (stream, json) in zip(batch.streams, expected) {
            let entries = json["entries"].elements
            #expect(stream.entries.map(\.line) == entries.map { $0["line"].text })
            #expect(stream.entries.map(\.timestamp) == entries.map { RFC3339.nanoseconds($0["timestamp"].text.utf8) })
            #expect(stream.entries.map(\.metadata) == entries.map { RemoteWriteTests.labels($0["structuredMetadata"]) })
            #expect(stream.entries.map(\.traceID) == entries.map { entry in
                let id = entry["structuredMetadata"].elements.first { $0["name"].text == "trace_id" }
                return id.flatMap { TraceID(hex: $0["value"].text) } ?? .none
            })
        }
    }

    static let jsonCaptures = ["python-logging-loki-0.3.1-v0payload", "python-logging-loki-0.3.1-v1payload", "python-logging-loki-v2-1.1.1-v1payload"]
        .flatMap { name in (1...6).map { "\(name)-0\($0)" } } + ["loki-logger-handler-1.1.2-identity-01", "loki-logger-handler-1.1.2-gzip-metadata-01", "loki-logger-handler-1.1.2-gzip-01"]

    @Test(
        "JSON pushes of Python's clients decode, old form and new, whatever their escapes",
        .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)), arguments: jsonCaptures)
    func pythonClients(name: String) throws {
        let bytes = try SharedCases.bytes("conformance/captures/loki/\(name).bin")
        let compression: Compression = name.contains("gzip") ? .gzip : .identity
        let message = try compression.decompress(bytes.span, byteCountMax: 1 << 20)
        let batch = try LokiPush.decodeJSON(message.span)
        #expect(batch.entryCount > 0)
        #expect(batch.streams.allSatisfy { $0.labels["application"] == "shop" })
        #expect(batch.streams.flatMap(\.entries).allSatisfy { $0.timestamp / 1_000_000_000_000_000 == 1_795 })
        if name.contains("metadata") {
            let entries = batch.streams.flatMap(\.entries)
            #expect(entries.allSatisfy { $0.metadata["service"] == "user-service" && $0.metadata["version"] == "1.0.0" })
            #expect(entries.contains { $0.traceID == TraceID(high: 0, low: 0x1d) })
        }
    }

    static func decode(_ json: String) throws -> LogBatch {
        let bytes = Array(json.utf8)
        return try LokiPush.decodeJSON(bytes.span)
    }

    @Test("a JSON push holds lines with nanoseconds and structured metadata, trace context among it")
    func json() throws {
        let batch = try Self.decode(
            #"{"streams":[{"stream":{"job":"a","n":5,"ok":true,"none":null},"values":[["1795353595172182784","line\n1"],["-1","",{"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"00f067aa0ba902b7","user":"u"}],[7,"bare",null]]}]}"#)
        let stream = try #require(batch.streams.first)
        #expect(stream.labels == Labels(["job": "a", "n": "5", "ok": "true"]))
        #expect(stream.entries.map(\.timestamp) == [1_795_353_595_172_182_784, -1, 7])
        #expect(stream.entries.map(\.line) == ["line\n1", "", "bare"])
        #expect(stream.entries[1].traceID.description == "0af7651916cd43dd8448eb211c80319c")
        #expect(stream.entries[1].spanID.description == "00f067aa0ba902b7")
        #expect(stream.entries[1].metadata.count == 3)
    }

    @Test("a line that is an object is kept as its JSON, byte for byte; a number is refused")
    func objectLine() throws {
        let batch = try Self.decode(#"{"streams":[{"stream":{"a":"b"},"values":[["1", {"m": [1, "x"]}, {"k":"v"}]]}]}"#)
        #expect(batch.streams[0].entries.map(\.line) == [#"{"m": [1, "x"]}"#])
        #expect(throws: FormatError.self) { try Self.decode(#"{"streams":[{"stream":{"a":"b"},"values":[["1",5]]}]}"#) }
    }

    @Test("the old form has its labels as text and its times as RFC 3339")
    func oldForm() throws {
        let batch = try Self.decode(
            #"{"streams":[{"labels":"{job=\"a\", zone=`b\\`}","entries":[{"ts":"2026-11-22T13:19:55.183449+00:00","line":"x"},{"ts":"2026-11-22T14:19:55.183449001+01:00","line":"y"}]}]}"#)
        #expect(batch.streams.map(\.labels) == [Labels(["job": "a", "zone": "b\\"])])
        #expect(batch.streams[0].entries.map(\.timestamp) == [1_795_353_595_183_449_000, 1_795_353_595_183_449_001])
    }

    @Test("reads back the protobuf that it writes")
    func roundTrip() throws {
        var batch = LogBatch()
        var entry = LogEntry(timestamp: -1, line: "ż\0", metadata: Labels(["traceID": "0af7651916cd43dd8448eb211c80319c"]))
        entry.traceID = try #require(TraceID(hex: "0af7651916cd43dd8448eb211c80319c"))
        batch.streams = [LogBatch.Stream(labels: Labels(["a": "q\"\\\n\u{1}", "b": "c"]), entries: [entry, LogEntry(timestamp: 1_000_000_001, line: "")])]
        let bytes = LokiPush.encodeProtobuf(batch)
        let decoded = try LokiPush.decodeProtobuf(bytes.span)
        #expect(decoded.streams.map(\.labels) == batch.streams.map(\.labels))
        #expect(decoded.streams.map(\.entries) == batch.streams.map(\.entries))
        Damage.both(bytes) { _ = try? LokiPush.decodeProtobuf($0.span) }
    }

    @Test("lines that are no UTF-8 are kept, with replacement characters")
    func invalidLine() throws {
        var writer = ProtobufWriter()
        writer.message(1) { writer in
            writer.string(1, #"{a="b"}"#)
            writer.message(2) { $0.bytes(2, [0x61, 0xff]) }
        }
        #expect(try LokiPush.decodeProtobuf(writer.bytes.span).streams[0].entries.map(\.line) == ["a\u{fffd}"])
    }

    @Test(
        "reads labels as Loki writes them",
        arguments: [
            (#"{}"#, Labels.empty), (#"{a="b"}"#, Labels(["a": "b"])), (#" { a = "b" , c="d", } "#, Labels(["a": "b", "c": "d"])),
            (#"{a="\t\x41\u017c\U0001F426\101\"\\"}"#, Labels(["a": "\tAż\u{1F426}A\"\\"])), (#"{a=`\t"`}"#, Labels(["a": "\\t\""])),
            (#"{a="x \ y"}"#, Labels(["a": "x \\ y"])), (#"{"b.c"="d"}"#, Labels(["b.c": "d"])),
        ])
    func labels(text: String, expected: Labels) throws {
        #expect(try LokiLabels.parse(text) == expected)
    }

    @Test("refuses labels that are none", arguments: ["", "{", "a=\"b\"", "{a}", "{a=b}", "{a=\"b}", "{=\"b\"}", "{a=\"b\"} x", "{a=\"b\" c=\"d\"}"])
    func brokenLabels(text: String) {
        #expect(throws: DecodeError.self) { try LokiLabels.parse(text) }
    }

    @Test(
        "says what is broken and where",
        arguments: [
            (#"{"streams":[{"stream":{},"values":[]}]}"#, "Loki push: field stream at byte 12: a stream must have at least one label"),
            (#"{"streams":[{"stream":{"a":"b"},"values":[["x","l"]]}]}"#, "Loki push: field values at byte 43: the timestamp must be nanoseconds in a string, found \"x\""),
            (#"{"streams":[{"stream":{"a":"b"},"values":[["1"]]}]}"#, "Loki push: field values at byte 47: an entry lacks the line"),
            (#"{"streams":[{"stream":{"a":["b"]}}]}"#, "Loki push: field stream at byte 27: a label's value must be a string"),
            (#"{"streams":[{"labels":"{a=}","entries":[]}]}"#, "Loki push: field labels at byte 26: a label's value must stand in quotes"),
            (#"{"streams":[{"labels":"{a=\"b\"}","entries":[{"line":"x"}]}]}"#, "Loki push: field ts at byte 45: an entry has no timestamp"),
        ])
    func errors(json: String, description: String) {
        let error = #expect(throws: FormatError.self) { try Self.decode(json) }
        #expect(error?.description == description)
    }

    @Test("survives every truncation and flipped bit of JSON")
    func damage() {
        let json = #"{"streams":[{"stream":{"job":"a"},"values":[["1","l",{"k":"v"}]]},{"labels":"{a=\"b\"}","entries":[{"ts":"2026-11-22T13:19:55Z","line":"x"}]}]}"#
        Damage.both(Array(json.utf8)) { _ = try? LokiPush.decodeJSON($0.span) }
    }
}
