import Foundation
import Glibc
import NIOCore
import NIOPosix
import Settings
import Telemetry
import TestSupport
import Testing

@testable import Collectors

/// A DNS server on loopback that answers every question with the same records, over UDP and TCP.
final class FakeDNS: Sendable {
    let port: Int
    private let datagrams: any Channel
    private let streams: any Channel

    /// - Parameter records: name (encoded), type, data, and the section: 0 answer, 1 authority, 2 additional.
    init(code: UInt8 = 0, _ records: [(section: Int, name: [UInt8], type: UInt16, data: [UInt8])]) async throws {
        let answer: @Sendable ([UInt8]) -> [UInt8] = { query in Self.answer(query, code, records) }
        streams = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Stream(answer)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = streams.localAddress?.port ?? 0
        datagrams = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Datagram(answer)) }
            }
            .bind(host: "127.0.0.1", port: port).get()
    }

    func stop() async throws {
        try await datagrams.close()
        try await streams.close()
    }

    private static func word(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }

    private static func answer(_ query: [UInt8], _ code: UInt8, _ records: [(section: Int, name: [UInt8], type: UInt16, data: [UInt8])]) -> [UInt8] {
        let counts = (0..<3).flatMap { section in word(records.filter { $0.section == section }.count) }
        var bytes = Array(query.prefix(2)) + [0x81, 0x80 | code] + word(1) + counts + Array(query.dropFirst(12))
        for record in records.sorted(by: { $0.section < $1.section }) {
            bytes += record.name + word(Int(record.type)) + [0, 1, 0, 0, 0, 60] + word(record.data.count) + record.data
        }
        return bytes
    }

    private final class Datagram: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias OutboundOut = AddressedEnvelope<ByteBuffer>
        private let answer: @Sendable ([UInt8]) -> [UInt8]
        init(_ answer: @escaping @Sendable ([UInt8]) -> [UInt8]) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let packet = unwrapInboundIn(data)
            let bytes = answer(Array(buffer: packet.data))
            context.writeAndFlush(
                wrapOutboundOut(AddressedEnvelope(remoteAddress: packet.remoteAddress, data: ByteBuffer(bytes: bytes))), promise: nil)
        }
    }

    private final class Stream: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let answer: @Sendable ([UInt8]) -> [UInt8]
        init(_ answer: @escaping @Sendable ([UInt8]) -> [UInt8]) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = answer(Array(Array(buffer: unwrapInboundIn(data)).dropFirst(2)))
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: FakeDNS.word(bytes.count) + bytes)), promise: nil)
        }
    }
}

@Suite("DNS probes")
struct DNSProbeTests {
    static let name = DNSName.encode("shop.example") ?? []
    /// A pointer to the question's name.
    static let pointer: [UInt8] = [0xc0, 12]

    static func server(code: UInt8 = 0) async throws -> FakeDNS {
        let soa = pointer + (DNSName.encode("root.shop.example") ?? []) + [0, 0, 0, 42] + [UInt8](repeating: 0, count: 16)
        return try await FakeDNS(
            code: code,
            [
                (0, pointer, 1, [10, 0, 0, 1]), (0, name, 1, [10, 0, 0, 2]), (1, pointer, 6, soa), (2, [0], 16, [2] + Array("ok".utf8)),
            ])
    }

    static func probe(_ server: FakeDNS, _ text: String) async throws -> ProbeOutcome {
        let options = try DNSProbeOptions.load(try ConfigurationNode.parse("{query_name: shop.example, \(text)}", file: "m.yml"))
        return await ProbeOutcome(.dns(options), "127.0.0.1:\(server.port)", timeout: .seconds(3))
    }

    @Test("records are counted by section and timed, over UDP and TCP", arguments: ["udp", "tcp"])
    func counts(transport: String) async throws {
        let server = try await Self.server()
        let outcome = try await Self.probe(server, "query_type: A, transport_protocol: \(transport)")
        #expect(outcome.isSuccessful, "\(outcome.log)")
        #expect(outcome["probe_dns_answer_rrs"] == 2 && outcome["probe_dns_authority_rrs"] == 1 && outcome["probe_dns_additional_rrs"] == 1)
        #expect(outcome["probe_dns_query_succeeded"] == 1)
        #expect((outcome["probe_dns_duration_seconds{phase=\"request\"}"] ?? 0) > 0)
        #expect(outcome["probe_dns_lookup_time_seconds"] != nil)
        try await server.stop()
    }

    @Test("response codes and expressions decide")
    func validation() async throws {
        let server = try await Self.server()
        for (options, isSuccessful) in [
            ("validate_answer_rrs: {fail_if_matches_regexp: ['A\\t10\\.0\\.0\\.2$']}", false),
            ("validate_answer_rrs: {fail_if_matches_regexp: ['192']}", true),
            ("validate_answer_rrs: {fail_if_all_match_regexp: ['10\\.0']}", false),
            ("validate_answer_rrs: {fail_if_all_match_regexp: ['10\\.0\\.0\\.1']}", true),
            ("validate_answer_rrs: {fail_if_not_matches_regexp: ['^shop\\.example\\.\\t60\\tIN\\tA\\t10']}", true),
            ("validate_answer_rrs: {fail_if_not_matches_regexp: ['\\.1$']}", false),
            ("validate_answer_rrs: {fail_if_none_matches_regexp: ['\\.1$']}", true),
            ("validate_answer_rrs: {fail_if_none_matches_regexp: ['\\.3$']}", false),
            ("validate_authority_rrs: {fail_if_not_matches_regexp: ['SOA\\tshop.example. root.shop.example. 42 0 0 0 0']}", true),
            ("validate_additional_rrs: {fail_if_not_matches_regexp: ['^\\.\\t60\\tIN\\tTXT\\t\"ok\"$']}", true),
            ("valid_rcodes: [NXDOMAIN]", false),
        ] {
            let outcome = try await Self.probe(server, options)
            #expect(outcome.isSuccessful == isSuccessful, "\(options): \(outcome.log)")
        }
        try await server.stop()
        let refusing = try await Self.server(code: 3)
        #expect(try await Self.probe(refusing, "valid_rcodes: [NOERROR, NXDOMAIN]").isSuccessful)
        let outcome = try await Self.probe(refusing, "query_type: A")
        #expect(!outcome.isSuccessful && outcome.log.contains("NXDOMAIN"))
        try await refusing.stop()
    }

    @Test("the serial of a zone is told")
    func serial() async throws {
        let data = Self.pointer + (DNSName.encode("root.shop.example") ?? []) + [0, 0, 1, 0] + [UInt8](repeating: 0, count: 16)
        let server = try await FakeDNS([(0, Self.pointer, 6, data)])
        let outcome = try await Self.probe(server, "query_type: SOA")
        #expect(outcome["probe_dns_serial"] == 256, "\(outcome.log)")
        try await server.stop()
    }

    @Test("a port without a server fails for that reason, not for want of an answer")
    func refused() async throws {
        let server = try await Self.server()
        try await server.stop()
        let outcome = try await Self.probe(server, "query_type: A")
        #expect(!outcome.isSuccessful && outcome["probe_dns_query_succeeded"] == 0)
        #expect(outcome.log.contains("connection refused"), "\(outcome.log)")
    }

    @Test("an answer that is cut anywhere, or has any bit flipped, is refused or read, and never more")
    func damage() throws {
        let soa = Self.pointer + Self.pointer + [UInt8](repeating: 1, count: 20)
        var bytes: [UInt8] = [0, 7, 0x81, 0x80, 0, 1, 0, 4, 0, 0, 0, 0] + Self.name + [0, 1, 0, 1]
        for (type, data) in [(UInt8(1), [UInt8](arrayLiteral: 10, 0, 0, 1)), (6, soa), (15, [0, 5] + Self.pointer), (16, [3, 97, 34, 200])] {
            bytes += Self.pointer + [0, type, 0, 1, 0, 0, 0, 60, 0, UInt8(data.count)] + data
        }
        let message = try DNSMessage(parsing: bytes)
        #expect(
            message.answer.map(\.data) == [
                "10.0.0.1", "shop.example. shop.example. 16843009 16843009 16843009 16843009 16843009", "5 shop.example.", "\"a\\\"\\200\"",
            ])
        for count in 0..<bytes.count { #expect(throws: DNSError.self) { try DNSMessage(parsing: Array(bytes.prefix(count))) } }
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << bit
                _ = try? DNSMessage(parsing: damaged)
            }
        }
        var offset = 12
        #expect(DNSName.decode([UInt8](repeating: 0, count: 12) + [0xc0, 12], at: &offset) == nil, "a name that points at itself")
    }

    @Test("a question is the bytes of RFC 1035")
    func query() {
        let query = DNSMessage.query(id: 0x1234, name: "a.bc", type: .soa, recordClass: 1, isRecursionDesired: true)
        #expect(query == [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 2, 98, 99, 0, 0, 6, 0, 1])
        #expect(DNSName.encode(String(repeating: "a", count: 64)) == nil && DNSName.encode("a..b") == nil && DNSName.encode(".") == [0])
    }
}

@Suite("ICMP probes")
struct ICMPProbeTests {
    @Test("an echo of this machine comes back; without the right to send one, the failure names it")
    func loopback() async throws {
        var options = ICMPProbeOptions()
        options.payloadByteCount = 64
        let outcome = await ProbeOutcome(.icmp(options), "127.0.0.1", timeout: .seconds(3))
        if outcome.isSuccessful {
            #expect((outcome["probe_icmp_duration_seconds{phase=\"rtt\"}"] ?? 0) > 0)
            #expect(outcome["probe_icmp_reply_hop_limit"] == 64)
        } else {
            #expect(outcome.log.contains("CAP_NET_RAW"), "\(outcome.log)")
        }
    }

    @Test("a reply is told from other packets by identifier, sequence and payload")
    func echoes() {
        let echo = ICMPEcho(isIPv6: false, identifier: 0x0102, sequence: 3, payload: [9, 8, 7])
        #expect(echo.bytes == [8, 0, 0xe6, 0xf2, 1, 2, 0, 3, 9, 8, 7])
        let reply: [UInt8] = [0, 0, 0, 0, 1, 2, 0, 3, 9, 8, 7]
        let header: [UInt8] = [0x46] + [UInt8](repeating: 0, count: 23)
        #expect(echo.isAnswered(by: reply, hasHeader: false, knowsIdentifier: true))
        #expect(echo.isAnswered(by: header + reply, hasHeader: true, knowsIdentifier: true))
        #expect(!echo.isAnswered(by: echo.bytes, hasHeader: false, knowsIdentifier: true))
        for index in reply.indices where !(2...3).contains(index) {
            var other = reply
            other[index] ^= 1
            #expect(!echo.isAnswered(by: other, hasHeader: false, knowsIdentifier: true), "\(index)")
            #expect(echo.isAnswered(by: other, hasHeader: false, knowsIdentifier: false) == (4...5).contains(index))
        }
        #expect(!echo.isAnswered(by: [], hasHeader: true, knowsIdentifier: false))
        #expect(!echo.isAnswered(by: [0x4f, 0], hasHeader: true, knowsIdentifier: false))
    }
}

@Suite("Probe configuration")
struct ProbeConfigurationTests {
    static func load(_ text: String, file: String = "apus.yaml") throws(ConfigurationError) -> ProbeConfiguration {
        let root = try ConfigurationNode.parse(text, file: file).mapping(BuiltInConfiguration.keys)
        return try BuiltInConfiguration(root, file: file).probes
    }

    @Test("blackbox.yml is taken as it is, modules of apus.yaml come on top, and the standard ones are always there")
    func files() throws {
        let tree = try FileTree([
            "blackbox.yml": """
            modules:
              http_2xx:
                prober: http
                timeout: 1.5s
                http: {valid_http_versions: ["HTTP/1.1", "HTTP/2.0"], enable_http2: false, tls_config: {ca_file: ca.pem}}
              pop3s_banner:
                prober: tcp
                tcp: {query_response: [{expect: "^+OK"}], tls: true, tls_config: {insecure_skip_verify: false}}
              grpc: {prober: grpc, grpc: {tls: true}}
              icmp_ttl5: {prober: icmp, timeout: 5s, icmp: {ttl: 5}}
              dns_soa: {prober: dns, dns: {query_name: "prometheus.io", query_type: "SOA"}}

            """
        ])
        let text = """
            blackbox: blackbox.yml
            probes:
              modules:
                shop: {prober: http, http: {fail_if_not_ssl: true}}
              interval: 1m
              targets:
                - {module: shop, targets: [https://a.example, https://b.example], labels: {team: shop}}
                - {module: http_2xx, target: c.example, interval: 10s, labels: {job: web}}
            """
        let configuration = try Self.load(text, file: tree.path + "/apus.yaml")
        #expect(
            Set(configuration.modules.keys) == ["http_2xx", "http_post_2xx", "tcp_connect", "icmp", "pop3s_banner", "icmp_ttl5", "dns_soa", "shop"])
        #expect(configuration.modules["http_2xx"]?.timeout == .milliseconds(1_500))
        guard case .http(let options) = configuration.modules["http_2xx"]?.prober else { return #expect(Bool(false)) }
        #expect(options.client.tls.authority == .file(tree.path + "/ca.pem"))
        #expect(configuration.warnings.count == 2, "enable_http2, and the module of grpc")
        #expect(configuration.checks.map(\.target) == ["https://a.example", "https://b.example", "c.example"])
        #expect(configuration.checks[0].labels == Labels(["job": "blackbox", "module": "shop", "team": "shop", "instance": "https://a.example"]))
        #expect(configuration.checks[0].interval == .seconds(60) && configuration.checks[0].timeout == .seconds(10))
        #expect(configuration.checks[2].labels["job"] == "web" && configuration.checks[2].timeout == .milliseconds(1_500))
    }

    @Test(
        "a mistake is told with its place",
        arguments: [
            ("probes: {targets: [{module: nope, target: x}]}", "unknown value \"nope\""), ("probes: {targets: [{module: icmp}]}", "name a target"),
            ("probes: {modules: {x: {prober: htp}}}", "did you mean \"http\"?"), ("probes: {modules: {x: {prober: dns}}}", "dns is missing"),
            ("probes: {modules: {x: {prober: dns, dns: {query_name: a..b}}}}", "a domain name"),
            ("probes: {modules: {x: {prober: http, timeout: 5}}}", "a duration such as 5s"),
            ("probes: {modules: {x: {prober: dns, dns: {query_name: a, dns_over_tls: true}}}}", "dns_over_tls needs transport_protocol: tcp"),
            ("probes: {modules: {x: {prober: icmp, icmp: {ttl: 300}}}}", "a number from 0 to 255"),
            ("probes: {modules: {x: {prober: tcp, tcp: {query_response: [{expect: a, expect_bytes: b}]}}}}", "at most one of expect"),
        ])
    func mistakes(text: String, expected: String) {
        do throws(ConfigurationError) {
            _ = try Self.load(text)
            Issue.record("no error")
        } catch {
            #expect(error.description.hasPrefix("apus.yaml:1:") && error.description.contains(expected), "\(error)")
        }
    }

    @Test("a probe's time is the module's or what whoever asks will wait, the shorter one")
    func timeouts() {
        var module = ProbeModule(name: "x", prober: .icmp(ICMPProbeOptions()))
        #expect(Prober.timeout(of: module, asked: nil) == .seconds(120))
        #expect(Prober.timeout(of: module, asked: .seconds(9)) == .seconds(9))
        module.timeout = .seconds(5)
        #expect(Prober.timeout(of: module, asked: .seconds(9)) == .seconds(5))
        #expect(Prober.timeout(of: module, asked: .seconds(3)) == .seconds(3))
        #expect(Prober.timeout(of: module, asked: .milliseconds(-100)) == .seconds(5))
    }

    @Test("what Apus probes by itself is stored like a scrape of blackbox exporter")
    func stored() async throws {
        let server = try LoopbackServer { _ in .text("ok") }
        let configuration = try Self.load("probes: {targets: [{module: http_2xx, target: '\(server.url)'}]}")
        let source = ProbeSource(try #require(configuration.checks.first))
        let batch = await source.measure(at: 7).batch
        let index = try #require(batch.series.firstIndex { $0[Labels.metricName] == "probe_success" })
        #expect(batch.series[index] == Labels(["__name__": "probe_success", "job": "blackbox", "module": "http_2xx", "instance": server.url]))
        #expect(batch.values[index] == 1 && batch.timestamps[index] == 7)
        #expect(await source.measure(at: 8).addedCount == 0)
    }
}
