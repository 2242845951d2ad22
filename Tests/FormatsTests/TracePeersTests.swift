import Codecs
import Formats
import Telemetry
import TestSupport
import Testing

@Suite("Jaeger Thrift")
struct JaegerThriftTests {
    @Test(
        "batches of Jaeger's clients decode to every span that was sent",
        .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)),
        arguments: Captures.all("jaeger.thrift Batch, binary"))
    func captures(capture: Captures.Capture) throws {
        let message = try capture.message()
        let batch = try JaegerThrift.decodeBatch(message.span)
        let expected = try #require(try capture.expected()["batch"])
        let group = try #require(batch.groups.first)
        #expect(batch.groups.count == 1)
        #expect(group.resource.serviceName == expected["process"]?["serviceName"].text)
        let tags = expected["process"]?["tags"].elements ?? []
        #expect(group.resource.attributes.dropFirst().map(\.comparable) == tags.map { Self.attribute($0).comparable })
        // Of the large capture only the first spans are kept as expected.
        let spans = expected["spans"].elements
        #expect(group.spans.count == (capture.path.contains("500") ? 500 : spans.count))
        for (span, json) in zip(group.spans, spans) {
            #expect(span.traceID.low == UInt64(bitPattern: json["traceIdLow"].proto64))
            #expect(span.traceID.high == UInt64(bitPattern: json["traceIdHigh"].proto64))
            #expect(span.spanID.value == UInt64(bitPattern: json["spanId"].proto64))
            #expect(span.parentID.value == UInt64(bitPattern: json["parentSpanId"].proto64))
            #expect(span.name == json["operationName"].text)
            #expect(span.start == json["startTime"].proto64 * 1_000)
            #expect(span.duration == json["duration"].proto64 * 1_000)
            #expect(span.events.count == json["logs"].elements.count)
            let kind = json["tags"].elements.first { $0["key"].text == "span.kind" }?["vStr"].text ?? "unspecified"
            #expect("\(span.kind)" == kind)
            let sent = json["tags"].elements.map { Self.attribute($0).comparable }
            #expect(Set(span.attributes.map(\.comparable)).isSubset(of: sent))
            let adopted: Set<String> = [
                "span.kind", "error", "otel.status_code", "otel.status_description", "otel.library.name", "otel.library.version", "otel.scope.name",
                "otel.scope.version", "w3c.tracestate",
            ]
            #expect(span.attributes.count == json["tags"].elements.count { !adopted.contains($0["key"].text) })
        }
    }

    static func attribute(_ json: JSONValue) -> Attribute {
        let name = json["key"].text
        switch json["vType"].text {
        case "DOUBLE": return Attribute(name, .double(json["vDouble"].protoDouble))
        case "BOOL": return Attribute(name, .bool(json["vBool"]?.bool ?? false))
        case "LONG": return Attribute(name, .int(json["vLong"].proto64))
        default: return Attribute(name, .string(json["vStr"].text))
        }
    }

    /// A writer of Thrift's binary protocol, enough for a batch.
    struct Thrift {
        var bytes: [UInt8] = []

        mutating func field(_ kind: UInt8, _ id: UInt8) { bytes += [kind, 0, id] }
        mutating func integer(_ value: Int64, _ byteCount: Int) {
            for index in (0..<byteCount).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> Int64(8 * index))) }
        }
        mutating func int64(_ id: UInt8, _ value: Int64) {
            field(10, id)
            integer(value, 8)
        }
        mutating func int32(_ id: UInt8, _ value: Int64) {
            field(8, id)
            integer(value, 4)
        }
        mutating func string(_ id: UInt8, _ value: String) {
            field(11, id)
            integer(Int64(value.utf8.count), 4)
            bytes += Array(value.utf8)
        }
        mutating func list(_ id: UInt8, _ count: Int) {
            field(15, id)
            bytes.append(12)
            integer(Int64(count), 4)
        }
        mutating func tag(_ name: String, _ type: Int64, _ body: (inout Thrift) -> Void) {
            string(1, name)
            int32(2, type)
            body(&self)
            bytes.append(0)
        }
        mutating func stop() { bytes.append(0) }
    }

    /// A batch with one span of everything.
    static let batch: [UInt8] = {
        var thrift = Thrift()
        thrift.field(12, 1)
        thrift.string(1, "shop")
        thrift.list(2, 1)
        thrift.tag("pid", 3) { $0.int64(6, 42) }
        thrift.stop()
        thrift.list(2, 1)
        thrift.int64(1, 2)
        thrift.int64(2, 1)
        thrift.int64(3, 7)
        thrift.string(5, "GET")
        thrift.list(6, 2)
        for (type, span) in [(0, 9), (1, 10)] as [(Int64, Int64)] {
            thrift.int32(1, type)
            thrift.int64(2, 2)
            thrift.int64(3, 1)
            thrift.int64(4, span)
            thrift.stop()
        }
        thrift.int32(7, 1)
        thrift.int64(8, 1_795_353_075_771_375)
        thrift.int64(9, 1_085)
        thrift.list(10, 5)
        thrift.tag("span.kind", 0) { $0.string(3, "server") }
        thrift.tag("error", 2) { thrift in
            thrift.field(2, 5)
            thrift.bytes.append(1)
        }
        thrift.tag("otel.status_description", 0) { $0.string(3, "boom") }
        thrift.tag("ratio", 1) { thrift in
            thrift.field(4, 4)
            thrift.integer(Int64(bitPattern: (0.5).bitPattern), 8)
        }
        thrift.tag("raw", 4) { $0.string(7, "\u{1}") }
        thrift.list(11, 1)
        thrift.int64(1, 5)
        thrift.list(2, 2)
        thrift.tag("event", 0) { $0.string(3, "retry") }
        thrift.tag("n", 3) { $0.int64(6, 3) }
        thrift.stop()
        // An unknown field of the future: a map of i32 to string.
        thrift.field(13, 99)
        thrift.bytes += [8, 11]
        thrift.integer(1, 4)
        thrift.integer(1, 4)
        thrift.integer(0, 4)
        thrift.stop()
        thrift.stop()
        return thrift.bytes
    }()

    @Test("tags become kind, status and attributes, references parent and links, logs events")
    func translation() throws {
        let group = try #require(try JaegerThrift.decodeBatch(Self.batch.span).groups.first)
        #expect(group.resource.attributes == [Attribute("service.name", .string("shop")), Attribute("pid", .int(42))])
        let id = TraceID(high: 1, low: 2)
        #expect(
            group.spans == [
                TraceSpan(
                    traceID: id, spanID: SpanID(7), parentID: SpanID(9), flags: 1, name: "GET", kind: .server, start: 1_795_353_075_771_375_000,
                    duration: 1_085_000, status: .error, statusMessage: "boom",
                    attributes: [Attribute("ratio", .double(0.5)), Attribute("raw", .bytes([1]))],
                    events: [TraceSpan.Event(timestamp: 5_000, name: "retry", attributes: [Attribute("n", .int(3))])],
                    links: [TraceSpan.Link(traceID: id, spanID: SpanID(10), attributes: [Attribute("opentracing.ref_type", .string("follows_from"))])])
            ])
    }

    @Test(
        "a status code that is a number means what the error tag says",
        arguments: [(1, true, .error), (2, true, .error), (2, false, .ok), (0, false, .unset)] as [(Int64, Bool, TraceSpan.Status)])
    func numericStatus(code: Int64, isError: Bool, expected: TraceSpan.Status) throws {
        var thrift = Thrift()
        thrift.list(2, 1)
        thrift.list(10, isError ? 2 : 1)
        thrift.tag("otel.status_code", 3) { $0.int64(6, code) }
        if isError {
            thrift.tag("error", 2) { thrift in
                thrift.field(2, 5)
                thrift.bytes.append(1)
            }
        }
        thrift.stop()
        thrift.stop()
        let span = try #require(try JaegerThrift.decodeBatch(thrift.bytes.span).groups.first?.spans.first)
        #expect(span.status == expected)
        #expect(span.attributes.isEmpty)
    }

    @Test("refuses what is no batch, and never believes a count", arguments: [[], [0x80, 1, 0, 1], [15, 0, 2, 12, 0x7f, 0xff, 0xff, 0xff], [15, 0, 9, 15, 0, 0, 0, 1, 0, 0, 0, 0, 1], [11, 0, 1, 0xff, 0xff, 0xff, 0xff]])
    func malformed(bytes: [UInt8]) {
        #expect(throws: FormatError.self) { try JaegerThrift.decodeBatch(bytes.span) }
    }

    @Test("survives every truncation and flipped bit")
    func damage() {
        Damage.truncations(Self.batch) { bytes in
            #expect(throws: FormatError.self) { try JaegerThrift.decodeBatch(bytes.span) }
        }
        Damage.bitFlips(Self.batch) { _ = try? JaegerThrift.decodeBatch($0.span) }
    }
}

@Suite("Zipkin")
struct ZipkinTests {
    @Test(
        "JSON of Zipkin's clients decodes",
        .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)),
        arguments: [("otel-v2json-small", 10), ("otel-v2json-500", 500), ("otel-v2json-small-tagcut", 10), ("pyzipkin-v2json", nil)] as [(String, Int?)])
    func captures(name: String, count: Int?) throws {
        let bytes = try SharedCases.bytes("conformance/captures/zipkin/\(name).bin")
        let batch = try Zipkin.decodeJSON(bytes.span)
        let expected = try JSONValue(parsing: bytes.span).array ?? []
        #expect(batch.spanCount == expected.count)
        if let count { #expect(batch.spanCount == count) }
        let spans = Dictionary(batch.groups.flatMap(\.spans).map { ($0.spanID.description + $0.name + "\($0.kind)", $0) }, uniquingKeysWith: { $1 })
        for json in expected {
            let kind = json["kind"]?.string?.lowercased() ?? "unspecified"
            let id = SpanID(hex: json["id"].text).map(\.description) ?? ""
            let span = try #require(spans[id + json["name"].text + kind])
            #expect(span.traceID == TraceID(hex: json["traceId"].text))
            #expect(span.parentID == (json["parentId"].flatMap { SpanID(hex: $0.string ?? "") } ?? .none))
            #expect(span.start == json["timestamp"].proto64 * 1_000)
            #expect(span.duration == json["duration"].proto64 * 1_000)
            #expect(span.events.count == json["annotations"].elements.count)
        }
        let services = Set(expected.map { $0["localEndpoint"]?["serviceName"].text ?? "" })
        #expect(Set(batch.groups.map(\.resource.serviceName)) == services)
    }

    static let request = #"[{"traceId":"463ac35c9f6413ad48485a3953bb6124","id":"a2fb4a1d1a96d312","parentId":"0020000000000001","name":"get","kind":"CLIENT","timestamp":1472470996199000,"duration":207000,"localEndpoint":{"serviceName":"shop","ipv4":"10.0.0.1","port":80},"remoteEndpoint":{"serviceName":"db","ipv6":"::1"},"annotations":[{"timestamp":1472470996238000,"value":"ws"}],"tags":{"http.path":"/api","error":"timeout","otel.library.name":"lib"},"shared":true},{"traceId":"1","id":"2","name":null}]"#

    @Test("a span's endpoints, tags and annotations become resource, attributes and events")
    func translation() throws {
        let batch = try Zipkin.decodeJSON(Array(Self.request.utf8).span)
        #expect(batch.groups.map(\.resource.serviceName) == ["shop", "unknown_service"])
        let span = try #require(batch.groups[0].spans.first)
        #expect(span.traceID.description == "463ac35c9f6413ad48485a3953bb6124")
        #expect(span.kind == .client)
        #expect(span.status == .error)
        #expect(span.statusMessage == "timeout")
        #expect(span.scope.name == "lib")
        #expect(span.start == 1_472_470_996_199_000_000)
        #expect(span.duration == 207_000_000)
        #expect(span.events == [TraceSpan.Event(timestamp: 1_472_470_996_238_000_000, name: "ws")])
        #expect(
            span.attributes == [
                Attribute("net.host.ip", .string("10.0.0.1")), Attribute("net.host.port", .int(80)), Attribute("peer.service", .string("db")),
                Attribute("net.peer.ip", .string("::1")), Attribute("http.path", .string("/api")),
            ])
        #expect(batch.groups[1].spans[0].traceID == TraceID(high: 0, low: 1))
    }

    @Test("names field and byte of what is broken", arguments: [(#"[{"id":"1"}]"#, "traceId"), (#"[{"traceId":"1"}]"#, "id"), (#"[{"traceId":"xyz","id":"1"}]"#, "traceId"), (#"[{"traceId":"1","id":"1","timestamp":99999999999999999}]"#, "timestamp"), (#"{"traceId":"1"}"#, "")])
    func errors(json: String, field: String) {
        let error = #expect(throws: FormatError.self) { try Zipkin.decodeJSON(Array(json.utf8).span) }
        #expect(error?.field == field)
    }

    @Test("survives every truncation and flipped bit")
    func damage() {
        Damage.both(Array(Self.request.utf8)) { _ = try? Zipkin.decodeJSON($0.span) }
    }
}
