import Codecs
import Formats
import Foundation
import Query
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("PushSource")
struct PushSourceTests {
    private func post(_ port: Int, _ path: String, _ body: [UInt8], _ headers: [String: String] = [:]) async throws -> Int {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let script = """
            import sys, urllib.request, urllib.error, json
            headers = json.loads(sys.argv[2])
            request = urllib.request.Request(sys.argv[1], data=sys.stdin.buffer.read(), headers=headers, method="POST")
            try: print(urllib.request.urlopen(request).status)
            except urllib.error.HTTPError as error: print(error.code)
            """
        let json = String(decoding: try JSONEncoder().encode(headers), as: UTF8.self)
        process.arguments = ["python3", "-c", script, "http://127.0.0.1:\(port)\(path)", json]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: body)
        try input.fileHandleForWriting.close()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    private func run(
        _ settings: PromtailPush, _ context: SourceContext, _ body: (Int) async throws -> Void
    ) async throws {
        let port = Mutex(0)
        var settings = settings
        (settings.server.host, settings.server.port) = ("127.0.0.1", 0)
        let source = PushSource(settings, context: context) { opened in port.withLock { $0 = opened } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await source.run() }
            try await until { port.withLock { $0 } > 0 }
            try await body(port.withLock { $0 })
            group.cancelAll()
        }
    }

    @Test("protobuf, JSON and plain text are taken, with the labels configured over those that came")
    func formats() async throws {
        let bench = SourceBench()
        var settings = PromtailPush()
        settings.labels = Labels(["source": "push", "a": "mine"])
        settings.usesIncomingTimestamp = true
        try await run(settings, bench.context(try SourceBench.job([:]))) { port in
            var batch = LogBatch()
            batch.streams = [.init(labels: Labels(["a": "b", "app": "x"]), entries: [LogEntry(timestamp: 1_795_366_800_000_000_000, line: "one")])]
            let body = Compression.snappy.compress(LokiPush.encodeProtobuf(batch).span)
            do {
                let status = try await self.post(port, "/loki/api/v1/push", body, ["Content-Type": "application/x-protobuf"])
                #expect(status == 204)
            }
            let json = #"{"streams":[{"stream":{"app":"y"},"values":[["1795366800000000001","two",{"k":"v"}]]}]}"#
            do {
                let status = try await self.post(port, "/loki/api/v1/push", Array(json.utf8), ["Content-Type": "application/json"])
                #expect(status == 204)
            }
            do {
                let status = try await self.post(port, "/promtail/api/v1/raw", Array("three\nfour".utf8))
                #expect(status == 204)
            }
            do {
                let status = try await self.post(port, "/loki/api/v1/push", Array("nonsense".utf8))
                #expect(status == 400)
            }
            do {
                let status = try await self.post(port, "/elsewhere", [])
                #expect(status == 404)
            }
        }
        let entries = try await bench.store.logEntries()
        #expect(entries.map(\.entry.line).sorted() == ["four", "one", "three", "two"])
        let one = try #require(entries.first { $0.entry.line == "one" })
        #expect(one.labels == Labels(["a": "mine", "app": "x", "source": "push"]) && one.entry.timestamp == 1_795_366_800_000_000_000)
        #expect(entries.first { $0.entry.line == "two" }?.entry.metadata["k"] == "v")
    }

    @Test("what cannot be kept is not acknowledged")
    func refused() async throws {
        let bench = SourceBench()
        let failing = FailingStore(bench.store)
        failing.isFailing = true
        var settings = PromtailPush()
        settings.labels = Labels(["source": "push"])
        try await run(settings, bench.context(delivery: StoreDelivery(store: failing))) { port in
            do {
                let status = try await self.post(port, "/promtail/api/v1/raw", Array("one\n".utf8))
                #expect(status == 507)
            }
            failing.isFailing = false
            do {
                let status = try await self.post(port, "/promtail/api/v1/raw", Array("one\n".utf8))
                #expect(status == 204)
            }
        }
        #expect(try await bench.lines() == ["one"])
    }
}
