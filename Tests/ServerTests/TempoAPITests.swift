import Codecs
import Foundation
import Query
import Server
import Telemetry
import TestSupport
import Testing

/// Tempo's endpoints, and the services that spans tell of.
@Suite("Tempo API") struct TempoAPITests {
    static let start = TimeSource.system.nanoseconds - 60_000_000_000

    static func fill(_ store: MemoryStore) async throws {
        let resource = Resource([
            Attribute("service.name", .string("shop")), Attribute("telemetry.sdk.language", .string("go")),
        ])
        let trace = TraceID(high: 0, low: 0xabc)
        let root = TraceSpan(
            traceID: trace, spanID: SpanID(1), name: "GET /orders", kind: .server, start: start, duration: 200_000_000,
            attributes: [Attribute("http.response.status_code", .int(500))])
        let child = TraceSpan(
            traceID: trace, spanID: SpanID(2), parentID: SpanID(1), name: "SELECT", kind: .client, start: start + 1_000_000, duration: 5_000_000,
            status: .error)
        var failed = root
        failed.traceID = TraceID(high: 0, low: 0xdef)
        failed.status = .error
        var batch = TelemetryBatch()
        batch.spans.groups = [SpanBatch.Group(resource: resource, spans: [root, child, failed])]
        try await store.append(batch)
    }

    @Test("a trace is OTLP's JSON, or protobuf by Accept; the second version wraps it")
    func trace() async throws {
        try await TestServer.run { server in
            try await Self.fill(server.store)
            let json = try await server.get("/api/traces/abc").json()
            #expect(json["batches"]?[0]?["scopeSpans"]?[0]?["spans"]?.array?.count == 2)
            let second = try await server.get("/api/v2/traces/00000000000000000000000000000abc").json()
            #expect(second["trace"]?["resourceSpans"]?[0]?["scopeSpans"]?[0]?["spans"]?.array?.count == 2)
            let binary = try await server.get("/api/traces/abc", headers: [("Accept", "application/protobuf")])
            #expect(binary.header("Content-Type") == "application/protobuf")
            #expect(binary.body.first == 0x0a)
            do {
                let reply = try await server.get("/api/traces/123")
                #expect(reply.status == 404)
            }
            do {
                let reply = try await server.get("/api/traces/xyz")
                #expect(reply.status == 400)
            }
        }
    }

    /// A query string, and the ids of the traces that it finds.
    static let searches: [(query: String, found: Set<String>)] = [
        ("tags=service.name%3Dshop", ["abc", "def"]),
        ("tags=service.name%3Dshop%20http.response.status_code%3D500", ["abc", "def"]),
        ("tags=name%3D%22GET%20%2Forders%22", ["abc", "def"]),
        ("tags=service.name%3Dother", []),
        ("tags=error%3Dtrue", ["abc", "def"]),
        ("minDuration=100ms", ["abc", "def"]),
        ("minDuration=10s", []),
        ("maxDuration=10ms", ["abc"]),
        ("q=%7B%20name%20%3D%20%22SELECT%22%20%7D", ["abc"]),
        ("q=%7B%20status%20%3D%20error%20%26%26%20kind%20%3D%20server%20%7D", ["def"]),
        ("q=%7B%20resource.service.name%20%3D%20%22shop%22%20%7D&minDuration=10s", []),
    ]

    @Test("traces are found by TraceQL, by tags and by duration")
    func search() async throws {
        try await TestServer.run { server in
            try await Self.fill(server.store)
            for row in Self.searches {
                let reply = try await server.get("/api/search?" + row.query)
                #expect(reply.status == 200, "\(row.query): \(reply.text)")
                let traces = try reply.json()["traces"]?.array ?? []
                let found = Set(traces.compactMap { $0["traceID"]?.string }.map { String($0.drop { $0 == "0" }) })
                #expect(found == row.found, "\(row.query)")
            }
            do {
                let reply = try await server.get("/api/search?q=%7B")
                #expect(reply.status == 400)
            }
            do {
                let reply = try await server.get("/api/search?limit=x")
                #expect(reply.status == 400)
            }
            do {
                let reply = try await server.get("/api/search?tags=novalue")
                #expect(reply.status == 400)
            }
        }
    }

    @Test("tags and their values are listed, names encoded twice included")
    func tags() async throws {
        try await TestServer.run { server in
            try await Self.fill(server.store)
            let scopes = try await server.get("/api/v2/search/tags").json()["scopes"]?.array ?? []
            #expect(scopes.contains { $0["name"]?.string == "span" && $0["tags"]?[0]?.string == "http.response.status_code" })
            let values = try await server.get("/api/v2/search/tag/resource.service%252Ename/values").text
            #expect(values == #"{"tagValues":[{"type":"string","value":"shop"}]}"#)
            do {
                let reply = try await server.get("/api/search/tag/service.name/values")
                #expect(reply.text == #"{"tagValues":["shop"]}"#)
            }
            do {
                let reply = try await server.get("/api/echo")
                #expect(reply.text == "echo")
            }
        }
    }

    @Test("services are found by themselves, with rate, errors and percentiles of their server spans")
    func services() async throws {
        try await TestServer.run { server in
            try await Self.fill(server.store)
            let now = Self.start / 1_000_000_000
            let reply = try await server.get("/api/apus/services?start=\(now - 100)&end=\(now + 100)")
            let service = try #require(try reply.json()["services"]?[0])
            #expect(service["name"]?.string == "shop")
            #expect(service["language"]?.string == "go")
            #expect(service["errorRatio"]?.double == 0.5)
            #expect(abs((service["spanRate"]?.double ?? 0) - 0.01) < 1e-9)
            // Within the sketch's 2.2 %.
            #expect(abs((service["p99"]?.double ?? 0) - 0.2) < 0.0090)
            #expect(service["signals"]?.array?.compactMap(\.string) == ["spans"])
        }
    }
}
