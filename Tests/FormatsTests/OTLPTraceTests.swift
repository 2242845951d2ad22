import Codecs
import Formats
import Telemetry
import TestSupport
import Testing

@Suite("OTLP traces")
struct OTLPTraceTests {
    static func decode(_ capture: Captures.Capture) throws -> OTLP.Decoded {
        let message = try capture.message()
        return try OTLP.decodeTraces(message.span, encoding: capture.path.contains("/json/") ? .json : .protobuf)
    }

    @Test(
        "a client's request decodes to every span that was sent, in protobuf and in JSON",
        .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)),
        arguments: Captures.all("ExportTraceServiceRequest"))
    func captures(capture: Captures.Capture) throws {
        let decoded = try Self.decode(capture)
        let expected = OTLPExpected.groups(try capture.expected())
        #expect(decoded.rejected == 0)
        #expect(decoded.rejectionMessage == "")
        #expect(decoded.batch.spans.groups.map { $0.resource.attributes.map(\.comparable) } == expected.map { $0.resource.attributes.map(\.comparable) })
        #expect(decoded.batch.spans.groups.map { $0.spans.map(\.comparable) } == expected.map { $0.spans.map(\.comparable) })
        #expect(expected.reduce(0) { $0 + $1.spans.count } > 0)
    }

    /// A span with everything.
    static let group: SpanBatch.Group = {
        let id = TraceID(high: 0x0af7_6519_16cd_43dd, low: 0x8448_eb21_1c80_319c)
        let attributes = [
            Attribute("s", .string("ü\"")), Attribute("b", .bool(true)), Attribute("i", .int(.min)), Attribute("d", .double(0.5)),
            Attribute("y", .bytes([0, 255])), Attribute("a", .array([.int(1), .string("x"), .empty])),
            Attribute("m", .map([Attribute("k", .map([]))])), Attribute("none", .empty), Attribute("empty", .string("")),
        ]
        let span = TraceSpan(
            traceID: id, spanID: SpanID(1), parentID: SpanID(2), traceState: "a=b", flags: 0x301, name: "GET /", kind: .server,
            start: 1_795_352_929_402_439_592, duration: 5, status: .error, statusMessage: "boom", attributes: attributes,
            events: [TraceSpan.Event(timestamp: 1_795_352_929_402_439_593, name: "e", attributes: attributes, droppedAttributesCount: 1)],
            links: [TraceSpan.Link(traceID: id, spanID: SpanID(3), traceState: "c=d", attributes: attributes, droppedAttributesCount: 2, flags: 1)],
            scope: TraceSpan.Scope(name: "lib", version: "1", attributes: [Attribute("k", .string("v"))]),
            droppedAttributesCount: 3, droppedEventsCount: 4, droppedLinksCount: 5)
        return SpanBatch.Group(resource: Resource([Attribute("service.name", .string("shop"))]), spans: [span])
    }()

    @Test("reads back the protobuf that it writes")
    func protobufRoundTrip() throws {
        let bytes = OTLP.encodeTrace([Self.group], encoding: .protobuf)
        let decoded = try OTLP.decodeTraces(bytes.span, encoding: .protobuf)
        #expect(decoded.batch.spans.groups.map(\.resource) == [Self.group.resource])
        #expect(decoded.batch.spans.groups.flatMap(\.spans) == Self.group.spans)
    }

    @Test("reads back the JSON that it writes for Tempo's API, once its key is OTLP's")
    func jsonRoundTrip() throws {
        let json = String(decoding: OTLP.encodeTrace([Self.group], encoding: .json), as: UTF8.self)
        #expect(json.hasPrefix(#"{"batches":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"#))
        #expect(json.contains(#""kind":"SPAN_KIND_SERVER""#))
        let request = Array(json.replacing("\"batches\"", with: "\"resourceSpans\"").utf8)
        let decoded = try OTLP.decodeTraces(request.span, encoding: .json)
        #expect(decoded.batch.spans.groups.flatMap(\.spans) == Self.group.spans)
    }

    @Test("spans of several scopes stay together by scope when encoded")
    func scopes() throws {
        var group = Self.group
        var other = group.spans[0]
        other.scope.name = "other"
        group.spans = [group.spans[0], other, group.spans[0]]
        let bytes = OTLP.encodeTrace([group], encoding: .protobuf)
        let decoded = try OTLP.decodeTraces(bytes.span, encoding: .protobuf)
        #expect(decoded.batch.spans.groups.flatMap(\.spans).map(\.scope.name) == ["lib", "lib", "other"])
    }

    static let id = #""traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"0000000000000001""#

    @Test(
        "rejects spans without a valid id or start, one by one, and says why",
        arguments: [
            (#"{"spanId":"0000000000000001","startTimeUnixNano":"1"}"#, "trace_id"),
            (#"{"traceId":"00000000000000000000000000000000","spanId":"0000000000000001","startTimeUnixNano":"1"}"#, "trace_id"),
            (#"{"traceId":"abc","spanId":"0000000000000001","startTimeUnixNano":"1"}"#, "trace_id"),
            (#"{"traceId":"0af7651916cd43dd8448eb211c80319c","startTimeUnixNano":"1"}"#, "span_id"),
            (#"{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"zz00000000000001","startTimeUnixNano":"1"}"#, "span_id"),
            ("{" + id + #","parentSpanId":"12","startTimeUnixNano":"1"}"#, "parent_span_id"), ("{" + id + "}", "start_time_unix_nano"),
        ])
    func rejections(span: String, field: String) throws {
        let good = "{" + Self.id + #","startTimeUnixNano":"1","name":"good"}"#
        let request = Array(#"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(span),\#(good)]}]}]}"#.utf8)
        let decoded = try OTLP.decodeTraces(request.span, encoding: .json)
        #expect(decoded.rejected == 1)
        #expect(decoded.rejectionMessage.contains(field))
        #expect(decoded.batch.spans.groups.flatMap(\.spans).map(\.name) == ["good"])
    }

    @Test("a span that ends before it starts has no duration; later times than 64 bits hold are the last")
    func times() throws {
        let request = Array(
            #"{"resourceSpans":[{"scopeSpans":[{"spans":[{\#(Self.id),"startTimeUnixNano":"5","endTimeUnixNano":"3"},{\#(Self.id),"startTimeUnixNano":"18446744073709551615"}]}]}]}"#.utf8)
        let spans = try OTLP.decodeTraces(request.span, encoding: .json).batch.spans.groups.flatMap(\.spans)
        #expect(spans.map(\.duration) == [0, 0])
        #expect(spans.map(\.start) == [5, .max])
    }

    @Test("takes what proto3's JSON mapping allows: snake_case, enum names and numbers, numbers as strings or not, null, unknown fields")
    func tolerant() throws {
        let request = Array(
            #"""
            {"unknown":[{"deep":1}],"resource_spans":[{"resource":null,"schemaUrl":"x","scope_spans":[{"scope":{"name":"l"},"spans":[
            {"trace_id":"0AF7651916CD43DD8448EB211C80319C","span_id":"0000000000000001","parent_span_id":"","kind":3,
             "start_time_unix_nano":1795352929402439592,"endTimeUnixNano":"1795352929402439600","status":{"code":"STATUS_CODE_ERROR"},
             "attributes":[{"key":"n","value":{"int_value":7}},{"key":"z","value":{"intValue":"8"}},{"key":"d","value":{"doubleValue":"-Infinity"}}],
             "events":null,"droppedEventsCount":"2"},
            {"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"0000000000000002","kind":"SPAN_KIND_PRODUCER","startTimeUnixNano":"1","status":{}}
            ]}]}]}
            """#.utf8)
        let spans = try OTLP.decodeTraces(request.span, encoding: .json).batch.spans.groups.flatMap(\.spans)
        #expect(spans.map(\.kind) == [.client, .producer])
        #expect(spans.map(\.duration) == [8, 0])
        #expect(spans[0].status == .error)
        #expect(spans[0].attributes.map(\.value) == [.int(7), .int(8), .double(-.infinity)])
        #expect(spans[0].droppedEventsCount == 2)
    }

    @Test(
        "names field and byte of what is broken",
        arguments: [
            (#"{"resourceSpans":5}"#, "OTLP traces: byte 17: found '5', expected an array"),
            (#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"NO"}]}]}]}"#, "OTLP traces: field Span.kind at byte 51: \"NO\" is no value of this enumeration"),
            (#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"x"}]}]}]}"#, "OTLP traces: field Span.startTimeUnixNano at byte 64: expected an unsigned 64-bit integer, found \"x\""),
        ])
    func jsonErrors(request: String, description: String) {
        let bytes = Array(request.utf8)
        let error = #expect(throws: FormatError.self) { try OTLP.decodeTraces(bytes.span, encoding: .json) }
        #expect(error?.description == description)
    }

    @Test("values that nest without end are refused")
    func depth() {
        var value: [UInt8] = []
        for _ in 0..<150 {
            var writer = ProtobufWriter()
            writer.message(5) { writer in writer.bytes(1, value, always: true) }
            value = writer.bytes
        }
        var writer = ProtobufWriter()
        writer.message(1) { $0.message(1) { $0.message(1) { $0.bytes(2, value) } } }
        let bytes = writer.bytes
        let error = #expect(throws: FormatError.self) { try OTLP.decodeTraces(bytes.span, encoding: .protobuf) }
        #expect(error?.message == "values nest deeper than 100")
    }

    @Test("survives every truncation and flipped bit", arguments: [OTLP.Encoding.protobuf, .json])
    func damage(encoding: OTLP.Encoding) {
        Damage.both(OTLP.encodeTrace([Self.group], encoding: encoding)) { bytes in
            _ = try? OTLP.decodeTraces(bytes.span, encoding: encoding)
            _ = try? OTLP.decodeLogs(bytes.span, encoding: encoding)
            _ = try? OTLP.decodeMetrics(bytes.span, encoding: encoding, options: OTLPMetricOptions())
        }
    }

    @Test("answers say what was rejected, in both encodings")
    func responses() throws {
        #expect(OTLP.encodeResponse(signal: .spans, rejected: 0, message: "", encoding: .protobuf) == [])
        #expect(OTLP.encodeResponse(signal: .spans, rejected: 0, message: "", encoding: .json) == Array("{}".utf8))
        let partial = OTLP.encodeResponse(signal: .metrics, rejected: 300, message: "why", encoding: .protobuf)
        #expect(partial == [0x0a, 8, 0x08, 0xac, 2, 0x12, 3] + Array("why".utf8))
        let names = [Signal.spans: "rejectedSpans", .metrics: "rejectedDataPoints", .logs: "rejectedLogRecords"]
        for (signal, name) in names {
            let json = OTLP.encodeResponse(signal: signal, rejected: 2, message: "why", encoding: .json)
            #expect(json == Array(#"{"partialSuccess":{"\#(name)":"2","errorMessage":"why"}}"#.utf8))
        }
        #expect(OTLP.encodeError(code: 3, message: "bad", encoding: .json) == Array(#"{"code":3,"message":"bad"}"#.utf8))
    }
}
