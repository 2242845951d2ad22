import Foundation
import Logging
import NIOCore
import NIOPosix
import Query
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Collectors

/// What a source needs, over a store in memory.
struct SourceBench {
    let store = MemoryStore()
    let metrics = SourceMetrics()

    func context(_ job: PromtailJob = PromtailJob(name: "test"), delivery: (any LogDelivery)? = nil) -> SourceContext {
        let logger = Logger(label: "test")
        return SourceContext(
            job: job, delivery: delivery ?? StoreDelivery(store: store), positions: store, metrics: metrics,
            environment: StageEnvironment(job: job.name, metrics: StageMetrics(), logger: logger), logger: logger)
    }

    /// A job whose rules make labels `name` of discovered ones.
    static func job(_ labels: KeyValuePairs<String, String>) throws -> PromtailJob {
        var job = PromtailJob(name: "test")
        for (name, source) in labels {
            job.relabelRules.append(try RelabelRule(sourceLabels: [source], targetLabel: name))
        }
        return job
    }

    func lines() async throws -> [String] { try await store.logEntries().map(\.entry.line) }
}

@Suite("SyslogMessage")
struct SyslogMessageTests {
    @Test("RFC 5424's own examples")
    func rfc5424() throws {
        let first = try SyslogMessage.rfc5424(
            Array("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{feff}'su root' failed for lonvick on /dev/pts/8".utf8))
        #expect(first.facility == "auth" && first.severity == "critical")
        #expect(first.timestamp == 1_065_910_455_003_000_000)
        #expect(first.hostname == "mymachine.example.com" && first.appName == "su" && first.procID == nil && first.msgID == "ID47")
        #expect(first.message == "'su root' failed for lonvick on /dev/pts/8")
        let second = try SyslogMessage.rfc5424(
            Array(
                #"<165>1 2003-10-11T22:14:15.003Z host evntslog 8710 ID47 [exampleSDID@32473 iut="3" eventSource="App\"li\]c\\ation"][examplePriority@32473 class="high"]"#
                    .utf8))
        #expect(second.message == nil && second.procID == "8710")
        #expect(
            second.structuredData == [
                .init(element: "exampleSDID@32473", name: "iut", value: "3"),
                .init(element: "exampleSDID@32473", name: "eventSource", value: #"App"li]c\ation"#),
                .init(element: "examplePriority@32473", name: "class", value: "high"),
            ])
        let bare = try SyslogMessage.rfc5424(Array("<0>1 - - - - - -".utf8))
        #expect(bare == SyslogMessage(priority: 0))
    }

    @Test(
        "RFC 3164's messages, whole and with parts missing",
        arguments: [
            ("<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "mymachine", "su", nil, "'su root' failed"),
            ("<13>Feb  5 17:32:18 10.0.0.99 app[42]: Use the BFG!", "10.0.0.99", "app", "42", "Use the BFG!"),
            ("<13>just text", nil, nil, nil, "just text"), ("<13>app: text", nil, "app", nil, "text"),
            ("<13>2026-11-22T17:00:00Z host app[1]: text\n", "host", "app", "1", "text"),
            ("<13>Oct 11 22:14:15 host no tag here", "host", nil, nil, "no tag here"),
        ] as [(String, String?, String?, String?, String)])
    func rfc3164(text: String, host: String?, app: String?, procID: String?, message: String) throws {
        let read = try SyslogMessage.rfc3164(Array(text.utf8), now: 1_795_348_800_000_000_000)
        #expect(read.hostname == host && read.appName == app && read.procID == procID && read.message == message)
    }

    @Test("a time without a year lies in the past, or less than a day ahead")
    func year() throws {
        func time(_ text: String, now: String) throws -> Int64? {
            let now = try #require(TimeText.parse(Array(now.utf8)[...]))
            return try SyslogMessage.rfc3164(Array("<1>\(text) h a: m".utf8), now: now).timestamp
        }
        #expect(try time("Dec 31 23:59:59", now: "2026-01-01T00:00:01Z") == TimeText.parse(Array("2025-12-31T23:59:59Z".utf8)[...]))
        #expect(try time("Jan  1 00:00:30", now: "2026-01-01T00:00:01Z") == TimeText.parse(Array("2026-01-01T00:00:30Z".utf8)[...]))
        #expect(try time("Feb 29 12:00:00", now: "2024-03-01T00:00:00Z") == TimeText.parse(Array("2024-02-29T12:00:00Z".utf8)[...]))
    }

    @Test("no cut and no change of a message does harm")
    func damage() {
        let text = Array(#"<165>1 2003-10-11T22:14:15.003Z host app 8710 ID47 [a@1 b="c\"d"] text"#.utf8)
        for count in 0...text.count {
            _ = try? SyslogMessage.rfc5424(Array(text[..<count]))
            _ = try? SyslogMessage.rfc3164(Array(text[..<count]), now: 0)
        }
        var random = SplitMix64(seed: 4)
        for _ in 0..<5_000 {
            var changed = text
            changed[Int(random.next() % UInt64(text.count))] = UInt8(truncatingIfNeeded: random.next())
            _ = try? SyslogMessage.rfc5424(changed)
            _ = try? SyslogMessage.rfc3164(changed, now: .max)
        }
        #expect(throws: SyslogMessage.Malformed.self) { try SyslogMessage.rfc5424(Array("<192>1 - - - - - - x".utf8)) }
        #expect(throws: SyslogMessage.Malformed.self) { try SyslogMessage.rfc5424(Array("<34> - - - - - - x".utf8)) }
    }
}

@Suite("SyslogFraming")
struct SyslogFramingTests {
    @Test("both framings, mixed, cut at every byte", arguments: 1...9)
    func pieces(size: Int) {
        let text = Array("11 <1>first\n 2<2>second\r\n<3>third\n\n4 <4>x9 <5>le\n\nng".utf8)
        var framing = SyslogFraming(byteCountMax: 100)
        var frames: [SyslogFraming.Frame] = []
        var start = 0
        while start < text.count {
            #expect(framing.feed(text[start..<min(start + size, text.count)], into: &frames))
            start += size
        }
        framing.finish(into: &frames)
        #expect(
            frames.map { String(decoding: $0.bytes, as: UTF8.self) } == ["<1>first\n 2", "<2>second", "<3>third", "<4>x", "<5>le\n\nng"])
    }

    @Test("a message that is too long is cut and says how long it was; the next one is whole", arguments: [true, false], [1, 7, 1_000])
    func tooLong(isCounted: Bool, size: Int) {
        let long = "<1>" + String(repeating: "x", count: 197)
        let text = Array((isCounted ? "200 \(long)8 <2>after" : "\(long)\n<2>after\n").utf8)
        var framing = SyslogFraming(byteCountMax: 50)
        var frames: [SyslogFraming.Frame] = []
        for start in stride(from: 0, to: text.count, by: size) {
            #expect(framing.feed(text[start..<min(start + size, text.count)], into: &frames))
        }
        framing.finish(into: &frames)
        #expect(frames == [.init(bytes: Array(long.utf8.prefix(50)), originalByteCount: 200), .init(bytes: Array("<2>after".utf8))])
    }

    @Test("what is no syslog ends the connection", arguments: ["GET / HTTP/1.1\r\n", "12x<1>", "-", "\u{16}\u{3}\u{1}"])
    func noSyslog(text: String) {
        var framing = SyslogFraming(byteCountMax: 100)
        var frames: [SyslogFraming.Frame] = []
        #expect(!framing.feed(Array(text.utf8), into: &frames))
    }
}

@Suite("SyslogSource")
struct SyslogSourceTests {
    private static let text =
        "<165>1 2026-11-22T17:00:00.5Z web1 nginx 77 req [meta@9 path=\"/a\"] hello one\n<11>1 - web2 - - - - hello two\n<11>1 - - - - - -\nnot syslog"

    private func run(
        _ settings: PromtailSyslog, job: PromtailJob, bench: SourceBench, _ send: @escaping @Sendable (Int) async throws -> Void,
        until done: () async throws -> Bool
    ) async throws {
        let port = Mutex(0)
        let source = SyslogSource(settings, context: bench.context(job)) { opened in port.withLock { $0 = opened } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await source.run() }
            try await until { port.withLock { $0 } > 0 }
            try await send(port.withLock { $0 })
            try await until { try await done() }
            group.cancelAll()
        }
    }

    @Test("messages over TCP become lines with the labels that rules make of them")
    func tcp() async throws {
        let bench = SourceBench()
        var settings = PromtailSyslog(listenAddress: "127.0.0.1:0")
        settings.labels = Labels(["job": "syslog"])
        settings.labelsStructuredData = true
        settings.usesIncomingTimestamp = true
        let job = try SourceBench.job([
            "host": "__syslog_message_hostname", "severity": "__syslog_message_severity", "facility": "__syslog_message_facility",
            "app": "__syslog_message_app_name", "pid": "__syslog_message_proc_id", "id": "__syslog_message_msg_id",
            "path": "__syslog_message_sd_meta_9_path", "peer": "__syslog_connection_ip_address",
        ])
        try await run(settings, job: job, bench: bench) { port in
            let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connect(host: "127.0.0.1", port: port).get()
            try await channel.writeAndFlush(ByteBuffer(string: Self.text))
            try await channel.close()
        } until: {
            try await bench.store.logEntries().count == 2 && bench.metrics.value("promtail_syslog_target_parsing_errors_total") == 1
        }
        let entries = try await bench.store.logEntries()
        let first = try #require(entries.first { $0.entry.line == "hello one" })
        #expect(
            first.labels
                == Labels([
                    "job": "syslog", "host": "web1", "severity": "notice", "facility": "local4", "app": "nginx", "pid": "77", "id": "req", "path": "/a",
                    "peer": "127.0.0.1",
                ]))
        #expect(first.entry.timestamp == 1_795_366_800_500_000_000)
        #expect(entries.contains { $0.entry.line == "hello two" && $0.labels["severity"] == "error" })
        #expect(bench.metrics.value("promtail_syslog_empty_messages_total") == 1)
    }

    @Test("messages over UDP, one a datagram; too long ones are cut and marked")
    func udp() async throws {
        let bench = SourceBench()
        var settings = PromtailSyslog(listenAddress: "127.0.0.1:0")
        settings.transport = .udp
        settings.format = .rfc3164
        settings.labels = Labels(["job": "syslog"])
        settings.messageByteCountMax = 60
        try await run(settings, job: PromtailJob(name: "test"), bench: bench) { port in
            let channel = try await DatagramBootstrap(group: .singletonMultiThreadedEventLoopGroup).bind(host: "127.0.0.1", port: 0).get()
            let target = try SocketAddress(ipAddress: "127.0.0.1", port: port)
            for number in 0..<100 {
                let text = "<34>Oct 11 22:14:15 host app[1]: number \(number)" + (number == 50 ? String(repeating: "x", count: 100) : "")
                try await channel.writeAndFlush(AddressedEnvelope(remoteAddress: target, data: ByteBuffer(string: text)))
            }
            try await channel.close()
        } until: {
            try await bench.store.logEntries().count == 100
        }
        let cut = try await bench.store.logEntries().filter { $0.entry.metadata["cut_from_bytes"] != nil }
        #expect(cut.count == 1 && cut.first?.entry.line.hasPrefix("number 50x") == true)
    }

    @Test("TLS, with the certificate that is configured")
    func tls() async throws {
        let folder = try ScratchFolder()
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", folder.path + "/key.pem", "-out",
            folder.path + "/cert.pem",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let bench = SourceBench()
        var settings = PromtailSyslog(listenAddress: "127.0.0.1:0")
        settings.labels = Labels(["job": "syslog"])
        var tls = PromtailTLS()
        (tls.certificateFile, tls.keyFile) = (folder.path + "/cert.pem", folder.path + "/key.pem")
        settings.tls = tls
        try await run(settings, job: PromtailJob(name: "test"), bench: bench) { port in
            let client = Process()
            client.executableURL = URL(filePath: "/usr/bin/openssl")
            client.arguments = ["s_client", "-quiet", "-connect", "127.0.0.1:\(port)"]
            let input = Pipe()
            client.standardInput = input
            client.standardError = FileHandle.nullDevice
            client.standardOutput = FileHandle.nullDevice
            try client.run()
            try input.fileHandleForWriting.write(contentsOf: Array("<11>1 - - - - - - over TLS\n".utf8))
            try await Task.sleep(for: .milliseconds(500))
            try input.fileHandleForWriting.close()
        } until: {
            try await bench.lines() == ["over TLS"]
        }
    }
}
