import Codecs
import Foundation
import Logging
import Query
import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("ProfilePuller")
struct ProfilePullerTests {
    /// A profile.proto with one stack (`main`), two sample types, and a period.
    static func profile(types: [(String, String)], period: (String, String), values: [UInt8]) -> [UInt8] {
        var strings = [""]
        func index(_ text: String) -> UInt8 {
            strings.append(text)
            return UInt8(strings.count - 1)
        }
        func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(bytes.count)] + bytes }
        func number(_ number: UInt8, _ value: UInt8) -> [UInt8] { [number << 3, value] }
        var bytes: [UInt8] = []
        for (type, unit) in types { bytes += field(1, number(1, index(type)) + number(2, index(unit))) }
        bytes += field(2, field(1, [1]) + field(2, values))
        bytes += field(4, number(1, 1) + field(4, number(1, 1)))
        bytes += field(5, number(1, 1) + number(2, index("main")))
        bytes += field(11, number(1, index(period.0)) + number(2, index(period.1))) + number(12, 10)
        for text in strings { bytes += field(6, Array(text.utf8)) }
        return bytes
    }

    @Test("CPU and heap profiles are stored under Pyroscope's types; a failure is told")
    func pulls() async throws {
        let cpu = Self.profile(
            types: [("samples", "count"), ("cpu", "nanoseconds")], period: ("cpu", "nanoseconds"), values: [1, 10])
        let heap = Self.profile(types: [("inuse_space", "bytes")], period: ("space", "bytes"), values: [7])
        let server = try LoopbackServer { request in
            switch request.target {
            case "/debug/pprof/profile?seconds=2":
                .answer(status: 200, headers: [:], body: Compression.gzip.compress(cpu.span))
            case "/debug/pprof/heap": .answer(status: 200, headers: [:], body: heap)
            default: .text("no", status: 404)
            }
        }
        let store = MemoryStore()
        let target = ProfileTarget(service: "orders", url: server.url, seconds: 2, kinds: [.cpu, .heap, .goroutine])
        let puller = ProfilePuller(configuration: [target], store: store, logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await puller.run() }
            try await until { puller.snapshots()[0].pulls.allSatisfy { $0.lastPull != nil } }
            group.cancelAll()
        }
        let types = try await store.labelValues(ProfileType.labelName, .profiles, matching: [], in: .all)
        #expect(
            types == [
                "memory:inuse_space:bytes:space:bytes", "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
                "process_cpu:samples:count:cpu:nanoseconds",
            ])
        let stream = try #require(try await store.streams(.profiles, matching: [], in: .all).first)
        #expect(stream.labels["service_name"] == "orders")
        #expect(stream.labels["instance"] == "127.0.0.1:\(server.port)")
        #expect(puller.snapshots()[0].pulls.map(\.lastError) == ["", "", "server returned HTTP status 404 Not Found"])
    }

    @Test("a body that is no profile is an error")
    func broken() async throws {
        let server = try LoopbackServer { _ in .text("not a profile") }
        let puller = ProfilePuller(
            configuration: [ProfileTarget(service: "x", url: server.url, kinds: [.heap])], store: MemoryStore(),
            logger: Logger(label: "test"))
        let client = ScrapeClient(userAgent: "test")
        await puller.pull(.heap, of: 0, client)
        await client.shutdown()
        #expect(!puller.snapshots()[0].pulls[0].lastError.isEmpty)
    }
}
