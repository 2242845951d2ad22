import Codecs
import Formats
import Foundation
import Query
import Server
import Telemetry
import TestSupport
import Testing

/// Telemetry by every protocol, well formed and not.
@Suite("Ingest") struct IngestTests {
    static let now = TimeSource.system.nanoseconds

    static func span(_ id: String) -> String {
        #"{"traceId":"\#(id)","spanId":"0000000000000001","name":"GET /","kind":2,"startTimeUnixNano":"\#(now)","endTimeUnixNano":"\#(now + 1_000_000)"}"#
    }

    static func traces(_ spans: String...) -> [UInt8] {
        let resource = #"{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]}"#
        return Array(#"{"resourceSpans":[{"resource":\#(resource),"scopeSpans":[{"spans":[\#(spans.joined(separator: ","))]}]}]}"#.utf8)
    }

    @Test("the good part of an OTLP batch stays, and the sender hears how much did not")
    func partialSuccess() async throws {
        try await TestServer.run { server in
            let body = Self.traces(Self.span("00000000000000000000000000000def"), Self.span("00000000000000000000000000000000"))
            let reply = try await server.post("/v1/traces", type: "application/json", body: body)
            #expect(reply.status == 200)
            let answer = try reply.json()
            #expect(answer["partialSuccess"]?["rejectedSpans"]?.string == "1" || answer["partialSuccess"]?["rejectedSpans"]?.int64 == 1)
            #expect(answer["partialSuccess"]?["errorMessage"]?.string?.isEmpty == false)
            do {
                let reply = try await server.get("/api/traces/def")
                #expect(reply.status == 200)
            }
            let metrics = try await server.get("/metrics").text
            #expect(metrics.contains(#"apus_ingest_requests_total{protocol="otlp_http",outcome="partial"} 1"#))
            #expect(metrics.contains(#"apus_ingest_rejected_rows_total{protocol="otlp_http"} 1"#))
        }
    }

    /// A path, a media type, a body that is none, and what the answer must name.
    static let bad: [(path: String, type: String, body: [UInt8], words: String)] = [
        ("/v1/traces", "application/json", Array(#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":17}]}]}]}"#.utf8), "byte"),
        ("/v1/traces", "application/x-protobuf", [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], "byte"),
        ("/v1/metrics", "application/x-protobuf", [0x0a, 0x05, 0x01], "byte"),
        ("/v1/logs", "application/json", Array("{".utf8), "byte"),
        ("/loki/api/v1/push", "application/json", Array(#"{"streams":[{"stream":{"a":"b"},"values":[["x","y"]]}]}"#.utf8), "byte"),
        ("/loki/api/v1/push", "application/x-protobuf", [0xff, 0xff, 0xff], "byte"),
        ("/api/v1/write", "application/x-protobuf", [0xff, 0xff, 0xff], "byte"),
        ("/api/traces", "application/x-thrift", [0x0f, 0x00], "byte"),
        ("/api/v2/spans", "application/json", Array("[{]".utf8), "byte"),
    ]

    @Test("a broken message is 400 that says where, and nothing of it is stored", arguments: bad.indices)
    func badBodies(index: Int) async throws {
        let row = Self.bad[index]
        try await TestServer.run { server in
            let reply = try await server.post(row.path, type: row.type, body: row.body)
            #expect(reply.status == 400, "\(row.path): \(reply.text)")
            #expect(reply.text.contains(row.words), "\(row.path): \(reply.text)")
            let statistics = await server.store.statistics()
            #expect(statistics.signals.values.allSatisfy { $0.rowsAppended == 0 })
        }
    }

    @Test("a media type that is no format is 415", arguments: ["/v1/traces", "/v1/logs", "/loki/api/v1/push", "/api/v1/write", "/api/traces", "/api/v2/spans"])
    func unknownType(path: String) async throws {
        try await TestServer.run { server in
            do {
                let reply = try await server.post(path, type: "text/csv", body: Array("a,b".utf8))
                #expect(reply.status == 415)
            }
        }
    }

    @Test("an OTLP error is a google.rpc.Status in the request's encoding")
    func otlpErrors() async throws {
        try await TestServer.run { server in
            let json = try await server.post("/v1/traces", type: "application/json", body: Array("{".utf8))
            let status = try json.json()
            #expect(status["code"]?.int64 == 3)
            #expect(status["message"]?.string?.contains("OTLP traces") == true)
            let binary = try await server.post("/v1/traces", type: "application/x-protobuf", body: [0x0a, 0xff])
            #expect(binary.header("Content-Type") == "application/x-protobuf")
            #expect(binary.body.starts(with: [0x08, 0x03, 0x12]))
        }
    }

    @Test("remote write stores samples and answers 204")
    func remoteWrite() async throws {
        try await TestServer.run { server in
            var batch = MetricBatch()
            let series = batch.addSeries(Labels(["__name__": "up", "job": "x"]))
            batch.append(series: series, timestamp: Self.now / 1_000_000, value: 1)
            let body = Compression.snappy.compress(RemoteWrite.encode(batch).span)
            let headers = [("Content-Encoding", "snappy"), ("X-Prometheus-Remote-Write-Version", "0.1.0")]
            let reply = try await server.post("/api/v1/write", type: "application/x-protobuf", headers: headers, body: body)
            #expect(reply.status == 204)
            do {
                let reply = try await server.get("/api/v1/query?query=up")
                #expect(reply.text.contains(#""metric":{"__name__":"up","job":"x"}"#))
            }
            let unknown = try await server.post(
                "/api/v1/write", type: "application/x-protobuf;proto=io.prometheus.write.v3.Request", headers: headers, body: body)
            #expect(unknown.status == 415)
        }
    }

    static let writeV2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"

    static func written(_ reply: TestServer.Reply) -> [String?] {
        ["Samples", "Histograms", "Exemplars"].map { reply.header("X-Prometheus-Remote-Write-\($0)-Written") }
    }

    @Test("remote write 2.0 says how much it stored")
    func remoteWrite2() async throws {
        try await TestServer.run { server in
            var batch = MetricBatch()
            let series = batch.addSeries(Labels(["__name__": "up", "job": "x"]))
            let now = Self.now / 1_000_000
            batch.append(series: series, timestamp: now, value: 1)
            batch.histograms.append((series, now + 1, NativeHistogram(count: 1, sum: 2, positiveRuns: [.init(offset: 0, length: 1)], positiveCounts: [1])))
            batch.exemplars.append((series, Exemplar(labels: Labels(["trace_id": "a"]), value: 1, timestamp: now)))
            batch.metadata = [MetricMetadata(family: "up", kind: .gauge, help: "Up?")]
            let body = Compression.snappy.compress(RemoteWrite2.encode(batch).span)
            let reply = try await server.post("/api/v1/write", type: Self.writeV2, headers: [("Content-Encoding", "snappy")], body: body)
            #expect(reply.status == 204)
            #expect(Self.written(reply) == ["1", "1", "1"])
            let metadata = try await server.get("/api/v1/metadata")
            #expect(metadata.text.contains("Up?"))
        }
    }

    @Test("of a 2.0 request with a bad series the rest is stored, and of a broken one nothing")
    func remoteWrite2Partial() async throws {
        try await TestServer.run { server in
            var batch = MetricBatch()
            for labels in [Labels(["__name__": "up", "job": "x"]), Labels(["job": "nameless"])] {
                batch.append(series: batch.addSeries(labels), timestamp: Self.now / 1_000_000, value: 1)
            }
            let body = Compression.snappy.compress(RemoteWrite2.encode(batch).span)
            let reply = try await server.post("/api/v1/write", type: Self.writeV2, headers: [("Content-Encoding", "snappy")], body: body)
            #expect(reply.status == 400)
            #expect(reply.text.contains("__name__"))
            #expect(Self.written(reply) == ["1", "0", "0"])
            let broken = Compression.snappy.compress([0x2a, 0xff].span)
            let refused = try await server.post("/api/v1/write", type: Self.writeV2, headers: [("Content-Encoding", "snappy")], body: broken)
            #expect(refused.status == 400)
            #expect(Self.written(refused) == ["0", "0", "0"])
        }
    }
}
