import ApusKit
import AsyncHTTPClient
import Foundation
import Hummingbird
import NIOCore
import NIOHTTP1
import TestSupport
import Testing
import Tracing

@Suite("ApusMiddleware")
struct MiddlewareTests {
    static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    /// What one request leaves behind.
    struct Trail: Sendable {
        var status: UInt
        var requestID: String?
        var metrics: String
        var spans: String
        var log: String
    }

    private func request(_ path: String, headers: [(String, String)] = []) async throws -> Trail {
        let folder = try ScratchFolder()
        let logFile = folder.path + "/log"
        let collector = Collector()
        return try await withServer(collector.router) { collectorPort in
            var configuration = ApusConfiguration(service: "shop")
            configuration.tracesEndpoint = "http://127.0.0.1:\(collectorPort)/v1/traces"
            configuration.logFile = logFile
            let service = try ApusService(configuration)
            let client = service.httpClient()
            let router = Router()
            router.add(middleware: service.middleware())
            service.mount(on: router)
            router.get("/healthz") { _, _ in "ok" }
            router.get("/items/{id}") { _, context in "item" }
            router.get("/broken") { _, _ -> String in throw HTTPError(.badGateway, message: "no") }
            router.get("/calls/{port}") { _, context -> String in
                let port = try context.parameters.require("port", as: Int.self)
                let answer = try await client.execute(
                    HTTPClientRequest(url: "http://127.0.0.1:\(port)/echo"), timeout: .seconds(5))
                return String(buffer: try await answer.body.collect(upTo: 1024))
            }
            router.get("/echo") { request, _ in
                "\(request.headers[.init("traceparent")!] ?? "-") \(request.headers[.init("x-request-id")!] ?? "-")"
            }
            let trail = try await withServer(router) { port in
                var request = HTTPClientRequest(
                    url: "http://127.0.0.1:\(port)\(path.replacingOccurrences(of: "PORT", with: "\(port)"))")
                for (name, value) in headers { request.headers.add(name: name, value: value) }
                let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
                _ = try await response.body.collect(upTo: 1 << 20)
                var scrape = HTTPClientRequest(url: "http://127.0.0.1:\(port)/metrics")
                scrape.headers.add(name: "accept", value: "application/openmetrics-text")
                let metrics = try await HTTPClient.shared.execute(scrape, timeout: .seconds(10)).body.collect(
                    upTo: 1 << 20)
                return Trail(
                    status: response.status.code, requestID: response.headers.first(name: "x-request-id"),
                    metrics: String(buffer: metrics),
                    spans: "", log: "")
            }
            try await client.shutdown()
            await service.flush()
            var whole = trail
            whole.spans = collector.bodies.joined()
            whole.log = try String(contentsOfFile: logFile, encoding: .utf8)
            return whole
        }
    }

    @Test("a request is a span of the caller's trace, a measurement by route, and a log line")
    func whole() async throws {
        let trail = try await request(
            "/items/5?x=1", headers: [("traceparent", "00-\(Self.trace)-00f067aa0ba902b7-01"), ("x-request-id", "r-1")])
        #expect(trail.status == 200)
        #expect(trail.requestID == "r-1")
        #expect(trail.metrics.contains(#"http_requests_total{method="GET",route="/items/{id}",status="200"} 1"#))
        #expect(
            trail.metrics.contains(
                #"http_request_duration_seconds_count{method="GET",route="/items/{id}",status="200"} 1"#))
        #expect(trail.metrics.contains("# {trace_id=\"\(Self.trace)\"}"))
        #expect(trail.spans.contains(#""traceId":"\#(Self.trace)""#))
        #expect(trail.spans.contains(#""parentSpanId":"00f067aa0ba902b7","name":"GET /items/{id}","kind":2"#))
        #expect(trail.spans.contains(#"{"key":"http.response.status_code","value":{"intValue":"200"}}"#))
        #expect(trail.log.contains(#""request_id":"r-1","trace_id":"\#(Self.trace)""#))
        #expect(trail.log.contains(#""status":200"#))
    }

    @Test("a failure is an error: in the span, in the log, in the status")
    func failure() async throws {
        let trail = try await request("/broken")
        #expect(trail.status == 502)
        #expect(trail.metrics.contains(#"http_requests_total{method="GET",route="/broken",status="502"} 1"#))
        #expect(trail.spans.contains(#""status":{"code":2}"#))
        #expect(trail.spans.contains("exception.message"))
        #expect(trail.log.contains(#""level":"error""#))
    }

    @Test("what no route claims is one route, not one for each path")
    func unmatched() async throws {
        let trail = try await request("/admin.php")
        #expect(trail.status == 404)
        #expect(trail.metrics.contains(#"route="unmatched",status="404"} 1"#))
    }

    @Test("health checks and scrapes are neither traced nor logged")
    func quiet() async throws {
        let trail = try await request("/healthz")
        #expect(trail.status == 200)
        #expect(trail.spans == "")
        #expect(trail.log == "")
        #expect(trail.metrics.contains(#"route="/healthz""#))
    }

    @Test(
        "a request id that is not fit to be logged is replaced",
        arguments: ["", "a b", String(repeating: "x", count: 129)])
    func requestID(received: String) async throws {
        let trail = try await request("/items/1", headers: [("x-request-id", received)])
        #expect(trail.requestID?.count == 16)
    }

    @Test("a call to another service carries the trace and the request id, and is a client span")
    func client() async throws {
        let trail = try await request(
            "/calls/PORT", headers: [("traceparent", "00-\(Self.trace)-00f067aa0ba902b7-01"), ("x-request-id", "r-2")])
        #expect(trail.status == 200)
        #expect(trail.spans.contains(#""kind":3"#))
        #expect(trail.spans.contains(#""name":"GET /echo","kind":2"#))
        #expect(trail.spans.components(separatedBy: #""traceId":"\#(Self.trace)""#).count == 4)  // three spans
        #expect(trail.log.components(separatedBy: #""request_id":"r-2""#).count == 3)  // two requests
        #expect(trail.metrics.contains("http_client_request_duration_seconds_count"))
    }
}
