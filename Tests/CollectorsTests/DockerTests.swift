import Foundation
import Logging
import Query
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("DockerFrames")
struct DockerFramesTests {
    static func frame(_ stream: UInt8, _ text: String) -> [UInt8] {
        let size = text.utf8.count
        return [stream, 0, 0, 0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: size >> $0) } + Array(text.utf8)
    }

    static func time(_ nanoseconds: Int) -> String {
        let digits = String(nanoseconds)
        return "2026-11-22T17:00:00.\(String(repeating: "0", count: 9 - digits.count))\(digits)Z"
    }

    @Test("frames of both streams, and the pieces of a long line, cut at every byte", arguments: [1, 3, 8, 1_000])
    func pieces(size: Int) {
        let bytes =
            Self.frame(1, Self.time(1) + " one\n") + Self.frame(1, Self.time(2) + " a long ") + Self.frame(2, Self.time(3) + " err\r\n")
            + Self.frame(1, Self.time(4) + " line\n") + Self.frame(2, "no time\n")
        var frames = DockerFrames(hasTerminal: false, byteCountMax: 100)
        var lines: [DockerFrames.Line] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            #expect(frames.feed(Array(bytes[start..<min(start + size, bytes.count)]), into: &lines))
        }
        #expect(lines.map { "\($0.stream) \(String(decoding: $0.text, as: UTF8.self))" } == ["stdout one", "stderr err", "stdout a long line", "stderr no time"])
        #expect(lines.map { $0.timestamp.map { $0 % 1_000 } } == [1, 3, 4, nil])
    }

    @Test("a terminal's output has no frames")
    func terminal() {
        var frames = DockerFrames(hasTerminal: true, byteCountMax: 4)
        var lines: [DockerFrames.Line] = []
        #expect(frames.feed(Array("\(Self.time(1)) one\r\n\(Self.time(2)) a long one\n".utf8), into: &lines))
        #expect(lines.map { String(decoding: $0.text, as: UTF8.self) } == ["one", "a lo"])
        #expect(lines.map(\.originalByteCount) == [nil, 10])
    }

    @Test("what is no frame is noticed")
    func noFrames() {
        var frames = DockerFrames(hasTerminal: false, byteCountMax: 100)
        var lines: [DockerFrames.Line] = []
        #expect(!frames.feed(Array("plain text\n".utf8), into: &lines))
    }

    @Test("a position comes back, and leaves out what is behind it, also of one instant")
    func position() throws {
        var position = DockerPosition()
        for time in [5, 7, 7, 7] as [Int64] { position.pass(time) }
        #expect(try #require(DockerPosition(position.encoded)) == position)
        #expect(position.since == "0.000000007")
        var filter = DockerPosition.Filter(position)
        #expect([5, 7, 7, 7, 7, 8].map { filter.isNew($0) } == [false, false, false, false, true, true])
    }
}

@Suite("DockerSource")
struct DockerSourceTests {
    @Test("containers are found, followed from behind what was kept, and read to their end")
    func containers() async throws {
        let bench = SourceBench()
        let isRunning = Mutex(true)
        let count = Mutex(10)
        let server = try LoopbackServer { request in
            if request.target.hasPrefix("/containers/json") {
                return .text(
                    #"[{"Id":"abc","Names":["/shop"],"State":"running","Labels":{"com.docker.compose.service":"orders"},"HostConfig":{"NetworkMode":"bridge"}},{"Id":"old","Names":["/old"],"State":"exited"}]"#
                )
            }
            if request.target.hasPrefix("/containers/abc/json") {
                return .text(#"{"Config":{"Tty":false},"State":{"Running":\#(isRunning.withLock { $0 })}}"#)
            }
            if request.target.hasPrefix("/containers/abc/logs") {
                let since = request.target.split(separator: "since=").last.flatMap { $0.split(separator: ".").last }.flatMap { Int($0) } ?? 0
                let lines = (0..<count.withLock { $0 }).filter { $0 / 2 >= since % 1_000_000_000 || since == 0 }
                let body = lines.flatMap { DockerFramesTests.frame($0 % 3 == 0 ? 2 : 1, DockerFramesTests.time($0 / 2) + " line \($0)\n") }
                return .answer(status: 200, headers: [:], body: body)
            }
            return .silence
        }
        var settings = PromtailDockerDiscovery(host: server.url)
        settings.refreshInterval = .milliseconds(50)
        let job = try SourceBench.job([
            "container": "__meta_docker_container_name", "stream": "__meta_docker_container_log_stream",
            "service": "__meta_docker_container_label_com_docker_compose_service",
        ])
        for wanted in [10, 25] {
            count.withLock { $0 = wanted }
            let source = DockerSource(settings, context: bench.context(job))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await source.run() }
                try await until { try await bench.store.logEntries().count >= wanted }
                group.cancelAll()
            }
        }
        let entries = try await bench.store.logEntries()
        #expect(entries.map(\.entry.line).sorted() == (0..<25).map { "line \($0)" }.sorted())
        #expect(entries.first { $0.entry.line == "line 3" }?.labels == Labels(["container": "/shop", "stream": "stderr", "service": "orders"]))
        server.stop()
    }
}

@Suite("StdinSource")
struct StdinSourceTests {
    @Test("lines of standard input up to its end, the last one without a newline")
    func lines() async throws {
        let bench = SourceBench()
        let pipe = Pipe()
        let hasEnded = Mutex(false)
        let source = StdinSource(
            labels: Labels(["job": "stdin"]), context: bench.context(), descriptor: pipe.fileHandleForReading.fileDescriptor
        ) { hasEnded.withLock { $0 = true } }
        try pipe.fileHandleForWriting.write(contentsOf: Array("one\ntwo\nthr".utf8))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await source.run() }
            try await until { try await bench.lines() == ["one", "two"] }
            try pipe.fileHandleForWriting.write(contentsOf: Array("ee".utf8))
            try pipe.fileHandleForWriting.close()
            try await until { hasEnded.withLock { $0 } }
            group.cancelAll()
        }
        #expect(try await bench.lines() == ["one", "two", "three"])
    }
}

@Suite("PodPath")
struct PodPathTests {
    @Test("a pod's path says namespace, pod and container, which become labels unless configured")
    func paths() {
        let path = PodPath("/var/log/pods/shop_orders-5d8-x2_0a1b-2c/app/0.log")
        #expect(path?.labels == [Label("container", "app"), Label("namespace", "shop"), Label("pod", "orders-5d8-x2")])
        #expect(path?.uid == "0a1b-2c")
        for other in ["/var/log/a.log", "/var/log/pods/x/app/0.log", "/var/log/containers/shop_orders_1/app/0.log", ""] {
            #expect(PodPath(other) == nil)
        }
    }
}
