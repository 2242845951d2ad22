import Codecs
import Foundation
import Query
import Server
import Telemetry
import TestSupport
import Testing

/// Loki's endpoints.
@Suite("Loki API") struct LokiAPITests {
    static func fill(_ store: MemoryStore) async throws {
        var batch = TelemetryBatch()
        let entries = (0..<5).map { index in
            LogEntry(
                timestamp: 1_700_000_000_000_000_000 + Int64(index) * 1_000_000_000, line: #"{"level":"info","n":\#(index)}"#,
                metadata: index == 4 ? Labels(["trace_id": "abc"]) : .empty)
        }
        batch.logs.streams = [LogBatch.Stream(labels: Labels(["job": "app", "env": "test"]), entries: entries)]
        try await store.append(batch)
    }

    static let window = "start=1699999990&end=1700000010"

    @Test("lines come newest first, timestamps as strings of nanoseconds, structured metadata among the labels")
    func range() async throws {
        try await TestServer.run { server in
            try await Self.fill(server.store)
            let reply = try await server.get("/loki/api/v1/query_range?query=%7Bjob=%22app%22%7D&limit=2&\(Self.window)")
            #expect(reply.status == 200)
            let data = try #require(try reply.json()["data"])
            #expect(data["resultType"]?.string == "streams")
            let streams = try #require(data["result"]?.array)
            let withMetadata = try #require(streams.first { $0["stream"]?["trace_id"]?.string == "abc" })
            #expect(withMetadata["values"]?[0]?[0]?.string == "1700000004000000000")
            #expect(withMetadata["values"]?[0]?[1]?.string == #"{"level":"info","n":4}"#)
            #expect(streams.reduce(0) { $0 + ($1["values"]?.array?.count ?? 0) } == 2)
            #expect(data["stats"]?["summary"]?["totalEntriesReturned"]?.int64 == 2)
        }
    }

    @Test("structured metadata stands apart for clients that ask for it")
    func categorized() async throws {
        try await TestServer.run { server in
            try await Self.fill(server.store)
            let reply = try await server.get(
                "/loki/api/v1/query_range?query=%7Bjob=%22app%22%7D&direction=forward&\(Self.window)",
                headers: [("X-Loki-Response-Encoding-Flags", "categorize-labels")])
            let data = try #require(try reply.json()["data"])
            #expect(data["encodingFlags"]?[0]?.string == "categorize-labels")
            let streams = try #require(data["result"]?.array)
            #expect(streams.allSatisfy { $0["stream"]?["trace_id"] == nil })
            let last = try #require(streams.flatMap { $0["values"]?.array ?? [] }.last { $0[2]?["structuredMetadata"] != nil })
            #expect(last[2]?["structuredMetadata"]?["trace_id"]?.string == "abc")
        }
    }

    /// A path, the status, and what the body begins with.
    static let cases: [(path: String, status: Int, body: String)] = [
        ("labels?\(window)", 200, #"{"status":"success","data":["env","job"]}"#),
        ("label/job/values?\(window)", 200, #"{"status":"success","data":["app"]}"#),
        ("series?match%5B%5D=%7Bjob=%22app%22%7D&\(window)", 200, #"{"status":"success","data":[{"env":"test","job":"app"}]}"#),
        ("index/stats?query=%7Bjob=%22app%22%7D&\(window)", 200, #"{"streams":1,"chunks":1,"bytes":110,"entries":5}"#),
        ("index/volume?query=%7Bjob=%22app%22%7D&\(window)", 200,
            #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"app"},"value":[1700000010,"110"]}]"#),
        ("query?query=vector(1)%2Bvector(1)&time=4", 200, #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[4,"2"]}]"#),
        ("query_range?query=%7Bjob=%22app%22&\(window)", 400, "parse error"),
        ("query_range?query=%7Bjob=%22app%22%7D&start=x", 400, "could not parse 'start' parameter"),
        ("query_range?query=%7Bjob=%22app%22%7D&direction=up&\(window)", 400, "invalid direction 'up'"),
        ("query_range?query=%7Bjob=%22app%22%7D&limit=0&\(window)", 400, "limit must be a positive value"),
        ("query_range?query=rate(%7Bjob=%22app%22%7D%5B1m%5D)&start=0&end=100000&step=1", 400, "exceeded maximum resolution of 11,000 points"),
    ]

    @Test("labels, series, figures and errors are Loki's")
    func answers() async throws {
        try await TestServer.run { server in
            try await Self.fill(server.store)
            for row in Self.cases {
                let reply = try await server.get("/loki/api/v1/" + row.path)
                #expect(reply.status == row.status, "\(row.path): \(reply.text)")
                #expect(reply.text.hasPrefix(row.body), "\(row.path): \(reply.text)")
            }
        }
    }

    @Test("Grafana's health check is answered")
    func healthCheck() async throws {
        try await TestServer.run { server in
            do {
                let reply = try await server.get("/loki/api/v1/query?query=vector(1)%2Bvector(1)")
                #expect(reply.status == 200)
            }
            do {
                let reply = try await server.get("/loki/api/v1/status/buildinfo")
                #expect(reply.status == 200)
            }
        }
    }
}
