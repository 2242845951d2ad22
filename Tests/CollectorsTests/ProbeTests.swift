import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Settings
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Collectors

/// Probing in tests: the series by `NAME` or `NAME{values}`, and the log.
struct ProbeOutcome {
    var series: [String: Double] = [:]
    var log = ""
    var isSuccessful: Bool

    subscript(name: String) -> Double? { series[name] }

    init(_ prober: ProbeModule.Prober, _ target: String, timeout: Duration = .seconds(5), hostName: String? = nil) async {
        let module = ProbeModule(name: "test", prober: prober)
        let report = await Prober.report(module, target: target, timeout: timeout, hostName: hostName)
        for line in String(decoding: report.text, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " ") else { continue }
            series[String(line[..<space])] = Double(line[line.index(after: space)...])
        }
        log = report.log.joined(separator: "\n")
        isSuccessful = report.isSuccessful
    }

    func phase(_ name: String) -> Double { series["probe_http_duration_seconds{phase=\"\(name)\"}"] ?? -1 }
}

@Suite("HTTP probes")
struct HTTPProbeTests {
    static func options(_ text: String) throws -> HTTPProbeOptions {
        var warnings: [ConfigurationWarning] = []
        return try HTTPProbeOptions.load(try ConfigurationNode.parse(text, file: "m.yml"), warnings: &warnings)
    }

    static func probe(
        _ server: LoopbackServer, _ text: String = "{}", path: String = "/", timeout: Duration = .seconds(5)
    ) async throws -> ProbeOutcome {
        await ProbeOutcome(.http(try options(text)), server.url + path, timeout: timeout)
    }

    @Test("a page that answers: status, lengths, version and the phases of its time")
    func success() async throws {
        let server = try LoopbackServer { _ in
            .answer(status: 200, headers: ["Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"], body: Array("hello".utf8))
        }
        let outcome = try await Self.probe(server, "{headers: {X-Test: yes}}", path: "/health?deep=1")
        #expect(outcome.isSuccessful, "\(outcome.log)")
        #expect(outcome["probe_success"] == 1)
        #expect(outcome["probe_http_status_code"] == 200)
        #expect(outcome["probe_http_version"] == 1.1)
        #expect(outcome["probe_http_content_length"] == 5)
        #expect(outcome["probe_http_uncompressed_body_length"] == 5)
        #expect(outcome["probe_http_redirects"] == 0)
        #expect(outcome["probe_http_ssl"] == 0)
        #expect(outcome["probe_failed_due_to_regex"] == 0)
        #expect(outcome["probe_http_last_modified_timestamp_seconds"] == 784_111_777)
        #expect(outcome["probe_ip_protocol"] == 4)
        #expect(outcome["probe_ip_addr_hash"] == 3_668_918_509, "FNV-1a of 127.0.0.1")
        for phase in ["connect", "processing", "transfer"] { #expect(outcome.phase(phase) > 0, "\(phase)") }
        #expect(outcome.phase("tls") == 0)
        let total = ["resolve", "connect", "processing", "transfer"].map(outcome.phase).reduce(0, +)
        #expect(total <= outcome["probe_duration_seconds"] ?? 0)
        let request = try #require(server.requests.first)
        #expect(request.target == "/health?deep=1" && request.method == "GET")
        #expect(request.headers["x-test"] == "yes" && request.headers["host"] == "127.0.0.1:\(server.port)")
    }

    @Test(
        "statuses: any of 200 to 299 will do, or those that are named",
        arguments: [
            (200, "{}", true), (204, "{}", true), (404, "{}", false), (404, "{valid_status_codes: [404]}", true),
            (200, "{valid_status_codes: [204, 404]}", false),
        ])
    func statuses(status: Int, options: String, isSuccessful: Bool) async throws {
        let server = try LoopbackServer { _ in .answer(status: status, headers: [:], body: []) }
        let outcome = try await Self.probe(server, options)
        #expect(outcome.isSuccessful == isSuccessful, "\(outcome.log)")
        #expect(outcome["probe_http_status_code"] == Double(status))
    }

    @Test("redirects are followed to the answer that counts, ten at most; POST becomes GET, and no body is sent twice")
    func redirects() async throws {
        let server = try LoopbackServer { request in
            switch request.target {
            case "/": .answer(status: 302, headers: ["Location": "next?x=1"], body: Array("moved".utf8))
            case "/next?x=1": .answer(status: 301, headers: ["Location": "/end"], body: [])
            case "/loop": .answer(status: 307, headers: ["Location": "/loop"], body: [])
            default: .text("here")
            }
        }
        var outcome = try await Self.probe(server, "{method: POST, body: payload}")
        #expect(outcome.isSuccessful && outcome["probe_http_redirects"] == 2, "\(outcome.log)")
        #expect(
            server.requests.map { "\($0.method) \($0.target) \(String(decoding: $0.body, as: UTF8.self))" } == [
                "POST / payload", "GET /next?x=1 ", "GET /end ",
            ])
        outcome = try await Self.probe(server, "{follow_redirects: false, valid_status_codes: [302]}")
        #expect(outcome.isSuccessful && outcome["probe_http_status_code"] == 302 && outcome["probe_http_redirects"] == 0)
        #expect(outcome["probe_http_uncompressed_body_length"] == 5)
        outcome = try await Self.probe(server, path: "/loop")
        #expect(!outcome.isSuccessful && outcome["probe_http_redirects"] == 11)
        #expect(outcome.log.contains("more than 10 redirects"))
    }

    @Test("expressions on body and headers decide, and say that they did")
    func expressions() async throws {
        let server = try LoopbackServer { _ in .answer(status: 200, headers: ["X-State": "ready"], body: Array("all is well".utf8)) }
        for (options, isSuccessful) in [
            ("{fail_if_body_matches_regexp: [error, well$]}", false), ("{fail_if_body_matches_regexp: [error]}", true),
            ("{fail_if_body_not_matches_regexp: [all, is]}", true), ("{fail_if_body_not_matches_regexp: [all, nothing]}", false),
            ("{fail_if_header_matches: [{header: x-state, regexp: rea}]}", false),
            ("{fail_if_header_matches: [{header: X-Other, regexp: a}]}", false),
            ("{fail_if_header_matches: [{header: X-Other, regexp: a, allow_missing: true}]}", true),
            ("{fail_if_header_not_matches: [{header: X-State, regexp: ^ready$}]}", true),
            ("{fail_if_header_not_matches: [{header: X-State, regexp: broken}]}", false),
        ] {
            let outcome = try await Self.probe(server, options)
            #expect(outcome.isSuccessful == isSuccessful, "\(options): \(outcome.log)")
            #expect(outcome["probe_failed_due_to_regex"] == (isSuccessful ? 0 : 1), "\(options)")
        }
    }

    @Test("credentials, a body, a host header and compression are sent and expected as configured")
    func requestOptions() async throws {
        let server = try LoopbackServer { request in
            request.headers["accept-encoding"] == "gzip"
                ? .answer(
                    status: 200, headers: [:],
                    body: [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0xcc, 0x29, 0xc8, 0x48, 0x04, 0, 0x97, 0xf6, 0x73, 0x99, 5, 0, 0, 0])
                : .text("plain")
        }
        var outcome = try await Self.probe(
            server, "{basic_auth: {username: u, password: p}, method: PUT, body: data, headers: {Host: shop.example, User-Agent: me}}")
        #expect(outcome.isSuccessful, "\(outcome.log)")
        let request = try #require(server.requests.last)
        #expect(request.headers["authorization"] == "Basic dTpw" && request.headers["host"] == "shop.example")
        #expect(request.headers["user-agent"] == "me" && request.body == Array("data".utf8))
        outcome = await ProbeOutcome(.http(HTTPProbeOptions()), "http://a:b@127.0.0.1:\(server.port)", hostName: "other.example")
        #expect(outcome.isSuccessful)
        #expect(server.requests.last?.headers["host"] == "other.example" && server.requests.last?.headers["authorization"] == "Basic YTpi")
        outcome = try await Self.probe(server, "{compression: gzip, fail_if_body_not_matches_regexp: [alpha]}")
        #expect(outcome.isSuccessful || outcome.log.contains("gzip"), "\(outcome.log)")
        #expect(outcome["probe_http_content_length"] == 25)
        outcome = try await Self.probe(server, "{compression: deflate}")
        #expect(!outcome.isSuccessful && outcome.log.contains("is not deflate"))
        outcome = try await Self.probe(server, "{body_size_limit: 3B}")
        #expect(!outcome.isSuccessful && outcome.log.contains("larger than 3 bytes"))
    }

    @Test("a server that hangs, one that hangs up, one that is not there and a target that is none fail in time, with a reason")
    func failures() async throws {
        let silent = try LoopbackServer { _ in .silence }
        let start = ContinuousClock.now
        var outcome = try await Self.probe(silent, timeout: .milliseconds(300))
        #expect(!outcome.isSuccessful && outcome.log.contains("no answer within 0.3 s"), "\(outcome.log)")
        #expect(ContinuousClock.now - start < .seconds(4))
        #expect(outcome.phase("connect") > 0 && outcome["probe_http_status_code"] == 0)
        let hangUp = try LoopbackServer { _ in .hangUp }
        outcome = try await Self.probe(hangUp)
        #expect(!outcome.isSuccessful && outcome.log.contains("closed"), "\(outcome.log)")
        let port = hangUp.port
        hangUp.stop()
        outcome = await ProbeOutcome(.http(HTTPProbeOptions()), "127.0.0.1:\(port)/x")
        #expect(!outcome.isSuccessful && outcome["probe_success"] == 0)
        for target in ["http://", "ftp://x", "http://a b/", "http://host:99999/", "http://no.such.host.invalid/"] {
            outcome = await ProbeOutcome(.http(HTTPProbeOptions()), target)
            #expect(!outcome.isSuccessful && outcome.log.contains("Probe failed"), "\(target)")
        }
        let endless = try LoopbackServer { _ in .endless(chunk: [UInt8](repeating: 97, count: 4_096)) }
        outcome = try await Self.probe(endless, "{body_size_limit: 64KB}")
        #expect(!outcome.isSuccessful && outcome.log.contains("larger than"), "\(outcome.log)")
    }

    @Test("TLS: dates, version and names of the certificate; trust, names and fail_if_ssl are checked")
    func tls() async throws {
        let server = try await ProbeTLSServer()
        let target = "https://localhost:\(server.port)/"
        func probe(_ text: String, _ target: String) async throws -> ProbeOutcome { await ProbeOutcome(.http(try Self.options(text)), target) }
        let trusting = "preferred_ip_protocol: ip4, tls_config: {ca_file: \(server.authorityPath)}"
        var outcome = try await probe("{\(trusting)}", target)
        #expect(outcome.isSuccessful, "\(outcome.log)")
        #expect(outcome["probe_http_ssl"] == 1)
        #expect(outcome.phase("tls") > 0)
        #expect(outcome["probe_tls_version_info{version=\"TLS 1.3\"}"] == 1)
        let expiry = try #require(outcome["probe_ssl_earliest_cert_expiry"])
        #expect(abs(expiry - Date.now.timeIntervalSince1970 - 30 * 86_400) < 7_200, "the leaf is good for 30 days")
        #expect(outcome["probe_ssl_last_chain_expiry_timestamp_seconds"] == expiry)
        let info = try #require(outcome.series.keys.first { $0.hasPrefix("probe_ssl_last_chain_info") })
        #expect(info.contains("subject=\"CN=localhost,O=Shop\"") && info.contains("issuer=\"CN=Test CA\""), "\(info)")
        #expect(info.contains("subjectalternative=\"localhost,shop.example\"") && info.contains("serialnumber=\"1234\""), "\(info)")
        outcome = try await probe("{preferred_ip_protocol: ip4}", target)
        #expect(!outcome.isSuccessful && outcome["probe_http_status_code"] == 0, "nobody has vouched for it")
        outcome = try await probe("{preferred_ip_protocol: ip4, tls_config: {insecure_skip_verify: true}}", target)
        #expect(outcome.isSuccessful, "\(outcome.log)")
        #expect(outcome["probe_ssl_earliest_cert_expiry"] == expiry)
        outcome = try await probe("{\(trusting.dropLast()), server_name: other.example}}", target)
        #expect(!outcome.isSuccessful, "the certificate is for another name")
        outcome = try await probe("{\(trusting), headers: {Host: shop.example}}", "https://127.0.0.1:\(server.port)/")
        #expect(outcome.isSuccessful, "\(outcome.log)")
        outcome = try await probe("{\(trusting), fail_if_ssl: true}", target)
        #expect(!outcome.isSuccessful && outcome.log.contains("fail_if_ssl"))
        let plain = try LoopbackServer { _ in .text("x") }
        outcome = try await probe("{fail_if_not_ssl: true}", plain.url)
        #expect(!outcome.isSuccessful && outcome.log.contains("fail_if_not_ssl"))
        try await server.stop()
    }

    @Test(
        "references are resolved against the page that named them",
        arguments: [
            ("http://a/b/c?d", "e", "/b/e"), ("http://a/b/c?d", "../e", "/e"), ("http://a/b/c?d", "/x?y#z", "/x?y"),
            ("http://a/b/c?d", "?q", "/b/c?q"),
            ("http://a/b/c", "//other/y", "/y"), ("http://a/b/c", "https://o:1/z", "/z"), ("http://a", ".", "/"),
            ("http://a/b/", "./c/./d", "/b/c/d"),
        ])
    func references(base: String, location: String, expected: String) {
        #expect(ProbeURL(base)?.resolving(location)?.target == expected)
    }

    @Test("a module's mistakes are told with their place, what has no effect is a warning")
    func settings() throws {
        func error(_ text: String) -> String {
            do {
                _ = try Self.options(text)
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(error("{fail_if_body_matches_regexp: ['(']}").hasPrefix("m.yml:1:"))
        #expect(error("{valid_status: [1]}").contains("did you mean \"valid_status_codes\"?"))
        #expect(error("{method: 'GET / X'}").contains("an HTTP method"))
        #expect(error("{headers: {a: \"b\\r\\nc: d\"}}").contains("on one line"))
        #expect(error("{fail_if_body_json_matches_cel: 'body.x'}").contains("CEL"))
        #expect(error("{body: a, body_file: b}").contains("at most one of body and body_file"))
        var warnings: [ConfigurationWarning] = []
        _ = try HTTPProbeOptions.load(try ConfigurationNode.parse("{enable_http2: false, proxy_url: x}", file: "m.yml"), warnings: &warnings)
        #expect(warnings.count == 2)
    }
}

/// A server that speaks TLS with a certificate of an authority of its own, both made by openssl.
final class ProbeTLSServer: Sendable {
    let port: Int
    let authorityPath: String
    private let folder: ScratchFolder
    private let channel: any Channel

    /// - Parameter talk: what a plain connection says before TLS; nil: TLS at once, and HTTP within.
    init(_ handler: @escaping @Sendable (any Channel, NIOSSLContext) throws -> Void = ProbeTLSServer.http) async throws {
        folder = try ScratchFolder()
        let path = folder.path
        authorityPath = path + "/ca.pem"
        try Self.openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path + "/ca.key", "-out", authorityPath, "-days", "365", "-subj",
            "/CN=Test CA")
        try Self.openssl(
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", path + "/key.pem", "-out", path + "/request.pem", "-subj", "/O=Shop/CN=localhost")
        try "subjectAltName=DNS:localhost,DNS:shop.example\n".write(toFile: path + "/ext", atomically: true, encoding: .utf8)
        try Self.openssl(
            "x509", "-req", "-in", path + "/request.pem", "-CA", authorityPath, "-CAkey", path + "/ca.key", "-set_serial", "0x1234", "-days", "30",
            "-extfile", path + "/ext", "-out", path + "/cert.pem")
        let chain = try NIOSSLCertificate.fromPEMFile(path + "/cert.pem").map { NIOSSLCertificateSource.certificate($0) }
        let key = try NIOSSLPrivateKey(file: path + "/key.pem", format: .pem)
        let context = try NIOSSLContext(configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try handler(channel, context) } }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    func stop() async throws { try await channel.close() }

    /// TLS, and one answer to whatever comes.
    static let http: @Sendable (any Channel, NIOSSLContext) throws -> Void = { channel, context in
        try channel.pipeline.syncOperations.addHandlers(NIOSSLServerHandler(context: context), OneAnswer())
    }

    private static func openssl(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl \(arguments)")
    }

    private final class OneAnswer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let answer = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        }
    }
}

@Suite("TCP probes")
struct TCPProbeTests {
    static func options(_ text: String) throws -> TCPProbeOptions { try TCPProbeOptions.load(try ConfigurationNode.parse(text, file: "m.yml")) }

    /// Greets, then answers each line.
    final class Talker: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let context: NIOSSLContext?

        init(_ context: NIOSSLContext? = nil) { self.context = context }

        func channelActive(context: ChannelHandlerContext) { say("noise\n220 mail.example ESMTP\r\n", context) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var buffer = unwrapInboundIn(data)
            let line = buffer.readString(length: buffer.readableBytes) ?? ""
            if line.hasPrefix("STARTTLS"), let tls = self.context {
                say("220 go ahead\n", context)
                try? context.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls), position: .first)
            } else {
                say("250 \(line.split(separator: " ").last ?? "")", context)
            }
        }

        private func say(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }
    }

    static func talker() async throws -> ProbeTLSServer {
        try await ProbeTLSServer { channel, context in try channel.pipeline.syncOperations.addHandler(Talker(context)) }
    }

    @Test("a port that is open is enough; a conversation is held line by line, groups are put into what is sent and into labels")
    func conversation() async throws {
        let server = try await Self.talker()
        let target = "127.0.0.1:\(server.port)"
        var outcome = await ProbeOutcome(.tcp(TCPProbeOptions()), target)
        #expect(outcome.isSuccessful, "\(outcome.log)")
        outcome = await ProbeOutcome(
            .tcp(
                try Self.options(
                    """
                    query_response:
                      - {expect: "^220 (\\\\S+) ESMTP$", send: "EHLO ${1}", labels: [{name: host, value: "${1}"}]}
                      - {expect: "^250 mail.example"}
                    """)), target)
        #expect(outcome.isSuccessful, "\(outcome.log)")
        #expect(outcome["probe_expect_info{host=\"mail.example\"}"] == 1)
        #expect(outcome["probe_failed_due_to_regex"] == 0)
        outcome = await ProbeOutcome(.tcp(try Self.options("query_response: [{expect_bytes: \"noise\"}]")), target)
        #expect(outcome.isSuccessful, "\(outcome.log)")
        outcome = await ProbeOutcome(.tcp(try Self.options("query_response: [{expect_bytes: \"other\"}]")), target)
        #expect(!outcome.isSuccessful && outcome["probe_failed_due_to_bytes"] == 1)
        outcome = await ProbeOutcome(.tcp(try Self.options("query_response: [{expect: never}]")), target, timeout: .milliseconds(300))
        #expect(!outcome.isSuccessful && outcome.log.contains("no answer within"))
        try await server.stop()
    }

    @Test("STARTTLS goes over to TLS in the middle, and the certificate is looked at")
    func startTLS() async throws {
        let server = try await Self.talker()
        let steps = """
            query_response:
              - {expect: "^220"}
              - {send: "STARTTLS"}
              - {expect: "^220 go ahead"}
              - {starttls: true}
              - {send: "EHLO again"}
              - {expect: "^250 again"}
            preferred_ip_protocol: ip4
            """
        var outcome = await ProbeOutcome(
            .tcp(try Self.options(steps + "\ntls_config: {ca_file: \(server.authorityPath)}")), "localhost:\(server.port)")
        #expect(outcome.isSuccessful, "\(outcome.log)")
        #expect((outcome["probe_ssl_earliest_cert_expiry"] ?? 0) > Date.now.timeIntervalSince1970)
        outcome = await ProbeOutcome(.tcp(try Self.options(steps)), "localhost:\(server.port)")
        #expect(!outcome.isSuccessful, "nobody has vouched for the certificate")
        try await server.stop()
    }

    @Test("TLS from the start")
    func tls() async throws {
        let server = try await ProbeTLSServer()
        let text = "tls: true\npreferred_ip_protocol: ip4\ntls_config: {ca_file: \(server.authorityPath)}"
        let outcome = await ProbeOutcome(.tcp(try Self.options(text)), "localhost:\(server.port)")
        #expect(outcome.isSuccessful, "\(outcome.log)")
        #expect(outcome["probe_tls_version_info{version=\"TLS 1.3\"}"] == 1)
        try await server.stop()
    }

    @Test("a closed port and a target without one fail with a reason")
    func failures() async throws {
        let server = try LoopbackServer { _ in .hangUp }
        let port = server.port
        server.stop()
        var outcome = await ProbeOutcome(.tcp(TCPProbeOptions()), "127.0.0.1:\(port)")
        #expect(!outcome.isSuccessful && outcome.log.contains("Probe failed"))
        outcome = await ProbeOutcome(.tcp(TCPProbeOptions()), "localhost")
        #expect(!outcome.isSuccessful && outcome.log.contains("no target of the form host:port"))
    }
}
