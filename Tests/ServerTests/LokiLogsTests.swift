import Codecs
import Foundation
import Glibc
import Query
import Server
import Telemetry
import TestSupport
import Testing

/// What Loki's clients ask beyond queries, and what is Apus' own: pages, exports, tails.
@Suite("Loki's other endpoints") struct LokiLogsTests {
    private static let window = LokiAPITests.window

    /// A path, a method, the status, and what the body holds.
    static let cases: [(method: String, path: String, status: Int, part: String)] = [
        ("GET", "/loki/api/v1/detected_fields?query=%7Bjob=%22app%22%7D&\(window)", 200, #"{"label":"n","type":"int","cardinality":5,"parsers":["json"],"jsonPath":["n"]}"#),
        ("GET", "/loki/api/v1/detected_field/n/values?query=%7Bjob=%22app%22%7D&\(window)", 200, #"{"values":["0","1","2","3","4"],"limit":1000}"#),
        ("GET", "/loki/api/v1/detected_labels?\(window)", 200, #"{"label":"env","cardinality":1}"#),
        ("GET", "/loki/api/v1/patterns?query=%7Bjob=%22app%22%7D&step=10s&\(window)", 200, #""samples":[[1700000000,5]]"#),
        ("GET", "/loki/api/v1/index/volume_range?query=%7Bjob=%22app%22%7D&step=2s&\(window)", 200, #"{"metric":{"job":"app"},"values":[[1700000002,"44"],[1700000004,"44"],[1700000006,"22"]]}"#),
        ("GET", "/loki/api/v1/index/volume?query=%7Bjob=%22app%22%7D&aggregateBy=labels&targetLabels=env&\(window)", 200, #"{"metric":{"env":""},"value":[1700000010,"110"]}"#),
        ("GET", "/loki/api/v1/index/volume?query=%7B%7D&aggregateBy=x&\(window)", 400, "invalid aggregation option"),
        ("GET", "/loki/api/v1/format_query?query=%7Bjob=%22app%22%7D%7C=%22x%22", 200, #"{"status":"success","data":"{job=\"app\"} |= \"x\""}"#),
        ("GET", "/loki/api/v1/format_query?query=%7B", 400, #""status":"invalid-query""#),
        ("GET", "/loki/api/v1/drilldown-limits", 200, #""pattern_ingester_enabled":true"#),
        ("GET", "/config/tenant/v1/limits", 200, "retention_period: 2592000s"),
        ("GET", "/api/prom/query?query=%7Bjob=%22app%22%7D&limit=1&\(window)", 200, #"{"ts":"2023-11-14T22:13:24.000000000Z","line":"{\"level\":\"info\",\"n\":4}"}"#),
        ("GET", "/api/prom/query?query=%7Bjob=%22app%22%7D&regexp=n.:3&\(window)", 200, #"\"n\":3"#),
        ("GET", "/api/prom/query?query=rate(%7Bjob=%22app%22%7D%5B1m%5D)&\(window)", 400, "legacy endpoints only support"),
        ("GET", "/api/prom/label?\(window)", 200, #"{"values":["env","job"]}"#),
        ("GET", "/api/prom/label/job/values?\(window)", 200, #"{"values":["app"]}"#),
        ("GET", "/loki/api/v1/rules", 404, "no rule groups found"),
        ("POST", "/loki/api/v1/delete?query=%7Bjob=%22app%22%7D&start=1699999990&end=1700000010", 400, "deletion is not enabled"),
        ("GET", "/loki/api/v1/query?query=count_over_time(%7Bjob=%22app%22%7D%7Clogfmt%20--strict%5B1m%5D)&time=1700000010", 400, "pipeline error"),
        ("GET", "/loki/api/v1/tail?query=%7Bjob=%22app%22%7D", 400, "WebSocket"),
        ("GET", "/loki/api/v1/tail?query=%7Bjob=%22app%22%7D&delay_for=6", 400, "delay_for can't be greater than 5"),
        ("GET", "/loki/api/v1/tail?query=rate(%7Bjob=%22app%22%7D%5B1m%5D)", 400, "tailed"),
        ("GET", "/api/apus/logs?query=rate(%7Bjob=%22app%22%7D%5B1m%5D)", 400, "pages"),
        ("GET", "/api/apus/logs?query=%7Bjob=%22app%22%7D&cursor=abc", 400, "cursor"),
        ("GET", "/elasticsearch/", 200, #""number":"8."#),
        ("GET", "/elasticsearch/_license", 200, #""type":"basic""#),
        ("PUT", "/elasticsearch/_ilm/policy/x", 200, "acknowledged"),
    ]

    @Test("every endpoint answers in its peer's shape")
    func answers() async throws {
        try await TestServer.run { server in
            try await LokiAPITests.fill(server.store)
            for row in Self.cases {
                let reply = try await server.request(row.method, row.path)
                #expect(reply.status == row.status, "\(row.path): \(reply.text)")
                #expect(reply.text.contains(row.part), "\(row.path): \(reply.text)")
            }
        }
    }

    @Test("pages by cursor and the export hold every line")
    func pagesAndExport() async throws {
        try await TestServer.run { server in
            try await LokiAPITests.fill(server.store)
            var (lines, cursor): ([String], String) = ([], "")
            repeat {
                let reply = try await server.get("/api/apus/logs?query=%7Bjob=%22app%22%7D&limit=2&cursor=\(cursor)&\(Self.window)").json()
                lines += reply["lines"]?.array?.compactMap { $0["line"]?.string } ?? []
                cursor = reply["cursor"]?.string ?? ""
            } while !cursor.isEmpty
            #expect(lines == (0..<5).reversed().map { #"{"level":"info","n":\#($0)}"# })
            let export = try await server.get("/api/apus/logs/export?query=%7Bjob=%22app%22%7D&format=text&\(Self.window)")
            #expect(export.text == (0..<5).map { #"{"level":"info","n":\#($0)}"# + "\n" }.joined())
            let range = try await server.get("/loki/api/v1/query_range?query=%7Bjob=%22app%22%7D&limit=2&cursor=&\(Self.window)").json()
            #expect(range["data"]?["cursor"]?.string?.isEmpty == false)
        }
    }

    @Test("lines that no store takes are refused with the bound, counted and named; the others are stored; too long ones are cut and marked")
    func badLines() async throws {
        try await TestServer.run { server in
            let now = Int64(Date().timeIntervalSince1970 * 1e9)
            let long = String(repeating: "x", count: 300_000)
            let body = #"{"streams":[{"stream":{"app":"a"},"values":[["1000","old"],["\#(now + 7_200_000_000_000)","new"],["\#(now)","good"],["\#(now + 1)","\#(long)"]]}]}"#
            let reply = try await server.post("/loki/api/v1/push", type: "application/json", body: Array(body.utf8))
            #expect(reply.status == 400)
            #expect(reply.text.contains("has timestamp too old: 1970-01-01T00:00:00Z, oldest acceptable timestamp is:"), "\(reply.text)")
            #expect(reply.text.contains("has timestamp too new:"), "\(reply.text)")
            let stored = try await server.get("/loki/api/v1/query_range?query=%7Bservice_name=%22a%22%7D&limit=10").json()
            let streams = stored["data"]?["result"]?.array ?? []
            let lines = streams.flatMap { $0["values"]?.array ?? [] }.compactMap { $0[1]?.string }
            #expect(lines.count == 2)
            #expect(lines.contains("good"))
            #expect(lines.contains { $0.utf8.count == 256 << 10 })
            #expect(streams.contains { $0["stream"]?["line_truncated_from"]?.string == "300000" })
            let metrics = try await server.get("/metrics").text
            #expect(metrics.contains(#"apus_lines_refused_total{reason="greater_than_max_sample_age"} 1"#))
            #expect(metrics.contains(#"apus_lines_refused_total{reason="too_far_in_future"} 1"#))
            #expect(metrics.contains("apus_lines_cut_total 1"))
        }
    }

    @Test("Elasticsearch's bulk and JSON lines become log lines")
    func otherProtocols() async throws {
        try await TestServer.run { server in
            let now = RFC3339Now.text
            let bulk = """
                {"create":{"_index":"logs-app"}}
                {"@timestamp":"\(now)","message":"hello","service":{"name":"shop"},"http":{"status":500},"trace":{"id":"x"}}
                {"index":{}}
                [1]
                {"delete":{"_id":"1"}}

                """
            let reply = try await server.post("/elasticsearch/_bulk", type: "application/x-ndjson", body: Array(bulk.utf8))
            let answer = try reply.json()
            #expect(reply.header("X-Elastic-Product") == "Elasticsearch")
            #expect(answer["errors"]?.bool == true)
            #expect(answer["items"]?[0]?["create"]?["status"]?.int64 == 201)
            #expect(answer["items"]?[1]?["index"]?["status"]?.int64 == 400)
            #expect(answer["items"]?[2]?["delete"]?["status"]?.int64 == 400)
            let lines = "{\"t\":\"\(now)\",\"m\":\"from a line\",\"app\":\"web\",\"user\":{\"id\":7}}\nnonsense\n"
            let inserted = try await server.post(
                "/insert/jsonline?_stream_fields=app&_time_field=t&_msg_field=m", type: "application/stream+json", body: Array(lines.utf8))
            #expect(inserted.status == 200)
            #expect(try inserted.json()["stored"]?.int64 == 1)
            #expect(try inserted.json()["refused"]?.int64 == 1)
            for (query, line) in [("%7Bservice_name=%22shop%22%7D%7Chttp_status=500", "hello"), ("%7Bapp=%22web%22%7D%7Cuser_id=7", "from a line")] {
                let found = try await server.get("/loki/api/v1/query_range?query=\(query)").json()
                #expect(found["data"]?["result"]?[0]?["values"]?[0]?[1]?.string == line)
            }
        }
    }

    @Test("rules of Loki can be written, read and removed through its API")
    func rules() async throws {
        let folder = try ScratchFolder()
        try await TestServer.run(configuration: "log_rules: {folder: \(folder.path)/rules}\n") { server in
            let group = "name: g\ninterval: 1h\nrules:\n  - alert: Errors\n    expr: sum(rate({app=\"a\"} |= \"error\" [5m])) > 1\n    for: 1m\n    labels: {severity: page}\n"
            let created = try await server.post("/loki/api/v1/rules/ns", type: "application/yaml", body: Array(group.utf8))
            #expect(created.status == 202, "\(created.text)")
            try await eventually("the group is there") {
                let one = try await server.get("/loki/api/v1/rules/ns/g")
                return one.status == 200 && one.text.contains("alert: \"Errors\"") && one.text.contains("for: 1m")
            }
            let listed = try await server.get("/prometheus/api/v1/rules").json()
            #expect(listed["data"]?["groups"]?[0]?["rules"]?[0]?["name"]?.string == "Errors")
            let bad = try await server.post("/loki/api/v1/rules/ns", type: "application/yaml", body: Array("name: h\nrules: [{record: x, expr: '{a=\"b\"}'}]".utf8))
            #expect(bad.status == 400)
            let outside = try await server.post("/loki/api/v1/rules/..%2Fx", type: "application/yaml", body: Array(group.utf8))
            #expect(outside.status == 400)
            let removed = try await server.request("DELETE", "/loki/api/v1/rules/ns/g")
            #expect(removed.status == 202)
            try await eventually("the group is gone") { try await server.get("/loki/api/v1/rules/ns").status == 404 }
        }
        _ = folder
    }

    @Test("a tail sends the last lines, and then new ones as they are stored")
    func tail() async throws {
        try await TestServer.run { server in
            let now = Int64(Date().timeIntervalSince1970 * 1e9)
            try await Self.push(server, now - 1_000_000_000, "before")
            let port = try #require(server.ports["http"])
            var socket = try WebSocketClient(port: port, path: "/loki/api/v1/tail?query=%7Bapp=%22a%22%7D&limit=10")
            let firstMessage = try socket.message()
            let first = try JSONValue(parsing: firstMessage.span)
            #expect(first["streams"]?[0]?["values"]?[0]?[1]?.string == "before")
            try await Self.push(server, now, "after")
            let secondMessage = try socket.message()
            let second = try JSONValue(parsing: secondMessage.span)
            #expect(second["streams"]?[0]?["values"]?[0]?[1]?.string == "after")
            #expect(second["streams"]?[0]?["stream"]?["app"]?.string == "a")
            socket.close()
        }
    }

    private static func push(_ server: TestServer, _ timestamp: Int64, _ line: String) async throws {
        let body = #"{"streams":[{"stream":{"app":"a"},"values":[["\#(timestamp)","\#(line)"]]}]}"#
        let reply = try await server.post("/loki/api/v1/push", type: "application/json", body: Array(body.utf8))
        #expect(reply.status == 204)
    }

    private func eventually(_ what: String, _ check: () async throws -> Bool) async throws {
        for _ in 0..<100 {
            if try await check() { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("not within 5 s: \(what)")
    }
}

/// Now, as RFC 3339 writes it.
private enum RFC3339Now {
    static var text: String { Date().formatted(.iso8601) }
}

/// The least that a client of a WebSocket needs, over a blocking socket.
struct WebSocketClient {
    struct Failure: Error {
        var message: String
    }

    private let descriptor: Int32
    private var bytes: [UInt8] = []

    init(port: Int, path: String) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
        guard isConnected else { throw Failure(message: "cannot connect") }
        let handshake = "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        _ = Array(handshake.utf8).withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0) }
        let end = Array("\r\n\r\n".utf8)
        while !bytes.indices.contains(where: { bytes[$0...].starts(with: end) }) { try read() }
        let cut = bytes.indices.first { bytes[$0...].starts(with: end) } ?? 0
        let head = String(decoding: bytes[..<cut], as: UTF8.self)
        // The key of the RFC's own example (section 1.3).
        guard head.hasPrefix("HTTP/1.1 101"), head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") else { throw Failure(message: head) }
        bytes.removeSubrange(..<(cut + 4))
    }

    /// The next text message; pings are passed over.
    mutating func message() throws -> [UInt8] {
        while true {
            while bytes.count < 2 { try read() }
            let opcode = bytes[0] & 0x0f
            var (length, start) = (Int(bytes[1] & 0x7f), 2)
            if length == 126 {
                while bytes.count < 4 { try read() }
                (length, start) = (Int(bytes[2]) << 8 | Int(bytes[3]), 4)
            }
            while bytes.count < start + length { try read() }
            let payload = Array(bytes[start..<(start + length)])
            bytes.removeSubrange(..<(start + length))
            if opcode == 1 { return payload }
            if opcode == 8 { throw Failure(message: String(decoding: payload.dropFirst(2), as: UTF8.self)) }
        }
    }

    private mutating func read() throws {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { throw Failure(message: "the connection ended") }
        bytes += buffer[..<count]
    }

    func close() { _ = Glibc.close(descriptor) }
}
