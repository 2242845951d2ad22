import ApusKit
import Foundation
import Hummingbird
import TestSupport
import Testing
import Tracing

@Suite("Export of spans")
struct ExportTests {
    private func service(port: Int, _ folder: ScratchFolder) throws -> ApusService {
        var configuration = ApusConfiguration(service: "shop", version: "7")
        configuration.tracesEndpoint = "http://127.0.0.1:\(port)/v1/traces"
        configuration.logFile = folder.path + "/log"
        return try ApusService(configuration)
    }

    @Test("a span arrives with its parent, kind, times, attributes, events and status")
    func whole() async throws {
        let collector = Collector()
        let folder = try ScratchFolder()
        let path = folder.path
        try await withServer(collector.router) { port in
            var configuration = ApusConfiguration(service: "shop", version: "7")
            configuration.tracesEndpoint = "http://127.0.0.1:\(port)/v1/traces"
            configuration.logFile = path + "/log"
            let service = try ApusService(configuration)
            service.tracer.withSpan("outer", ofKind: .server) { outer in
                outer.attributes["n"] = 5
                outer.attributes["ratio"] = 0.5
                outer.attributes["ok"] = true
                outer.attributes["list"] = ["a", "b"]
                outer.addEvent(SpanEvent(name: "half way"))
                service.tracer.withSpan("inner", ofKind: .client) {
                    $0.setStatus(SpanStatus(code: .error, message: "no"))
                }
            }
            await service.flush()
        }
        let body = try #require(collector.bodies.first)
        let json = try #require(JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
        let resource = try #require((json["resourceSpans"] as? [[String: Any]])?.first)
        #expect("\(resource["resource"] ?? "")".contains("shop"))
        let spans = try #require((resource["scopeSpans"] as? [[String: Any]])?.first?["spans"] as? [[String: Any]])
        let inner = try #require(spans.first { $0["name"] as? String == "inner" })
        let outer = try #require(spans.first { $0["name"] as? String == "outer" })
        #expect(inner["parentSpanId"] as? String == outer["spanId"] as? String)
        #expect(inner["traceId"] as? String == outer["traceId"] as? String)
        #expect(outer["parentSpanId"] == nil)
        #expect(outer["kind"] as? Int == 2)
        #expect(inner["kind"] as? Int == 3)
        #expect((inner["status"] as? [String: Any])?["code"] as? Int == 2)
        #expect((inner["status"] as? [String: Any])?["message"] as? String == "no")
        #expect((outer["events"] as? [[String: Any]])?.first?["name"] as? String == "half way")
        let text = "\(outer["attributes"] ?? "")"
        for piece in ["intValue", "doubleValue", "boolValue", "arrayValue"] { #expect(text.contains(piece)) }
        let start = try #require(UInt64(outer["startTimeUnixNano"] as? String ?? ""))
        let end = try #require(UInt64(outer["endTimeUnixNano"] as? String ?? ""))
        #expect(start <= end && start > 1_700_000_000_000_000_000)
    }

    @Test("a collector that is busy for a moment loses nothing")
    func retries() async throws {
        let collector = Collector(answering: [.serviceUnavailable])
        let folder = try ScratchFolder()
        let path = folder.path
        try await withServer(collector.router) { port in
            var configuration = ApusConfiguration(service: "shop")
            configuration.tracesEndpoint = "http://127.0.0.1:\(port)/v1/traces"
            configuration.logFile = path + "/log"
            let service = try ApusService(configuration)
            service.tracer.withSpan("work") { _ in }
            let running = Task { try await service.run() }
            for _ in 0..<400 where collector.bodies.isEmpty { try await Task.sleep(for: .milliseconds(50)) }
            running.cancel()
            try await running.value
        }
        #expect(collector.bodies.count == 1)
    }

    @Test("spans that no collector takes are counted, and said once")
    func lost() async throws {
        let folder = try ScratchFolder()
        // Port 9 (discard) is not listened on.
        let service = try service(port: 9, folder)
        for _ in 0..<2 {
            service.tracer.withSpan("work") { _ in }
            await service.flush()
        }
        let text = PrometheusText.write(service.registry, as: .text)
        #expect(text.contains("apus_kit_spans_dropped_total 2\n"))
        let log = try String(contentsOfFile: folder.path + "/log", encoding: .utf8)
        #expect(log.split(separator: "\n").count == 1)
        #expect(log.contains("spans are being lost"))
    }

    @Test("a queue that is full gives spans up, not memory")
    func full() throws {
        let folder = try ScratchFolder()
        let service = try service(port: 9, folder)
        for _ in 0..<8200 { service.tracer.startSpan("work").end() }
        #expect(PrometheusText.write(service.registry, as: .text).contains("apus_kit_spans_dropped_total 8\n"))
    }

    @Test("a trace that its beginner does not keep is handed on and not recorded")
    func unsampled() throws {
        let folder = try ScratchFolder()
        let service = try service(port: 9, folder)
        var context = ServiceContext.topLevel
        context.spanContext = TraceParent.parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")
        let span = service.tracer.startSpan("work", context: context)
        #expect(!span.isRecording)
        #expect(span.context.spanContext?.traceID == context.spanContext?.traceID)
        #expect(span.context.spanContext?.isSampled == false)
    }
}
