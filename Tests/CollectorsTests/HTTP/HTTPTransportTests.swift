import Foundation
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

@testable import Collectors

/// Runs a test with a transport, and shuts that down.
func withTransport<Result>(
    environment: [String: String] = [:], _ body: (HTTPTransport) async throws -> Result
) async throws -> Result {
    let transport = HTTPTransport(userAgent: "Apus/test", environment: environment)
    do {
        let result = try await body(transport)
        await transport.shutdown()
        return result
    } catch {
        await transport.shutdown()
        throw error
    }
}

extension HTTPTransport {
    /// Gets a URL as text.
    func text(_ url: String, _ options: HTTPClientOptions = HTTPClientOptions()) async throws -> String {
        let answer = try await send(Request(.GET, url), options: options, timeout: .seconds(10))
        return "\(answer.status) " + String(decoding: answer.body, as: UTF8.self)
    }
}

@Suite("HTTPTransport")
struct HTTPTransportTests {
    private func options(_ yaml: String) throws -> HTTPClientOptions { try HTTPClientOptionsTests.parse(yaml) }

    @Test("authorization, headers and user agent go along; secrets in files are read each time")
    func headers() async throws {
        let folder = try ScratchFolder()
        try "first\n".write(toFile: folder.path + "/token", atomically: true, encoding: .utf8)
        let server = try LoopbackServer { _ in .text("ok") }
        try await withTransport { transport async throws in
            let basic = try options("basic_auth: {username: user, password: 'pa:ss'}")
            _ = try await transport.text(server.url, basic)
            let bearer = try options(
                "authorization: {credentials_file: \(folder.path)/token}\nhttp_headers: {X-A: {values: [one, two]}}")
            _ = try await transport.text(server.url, bearer)
            try "second".write(toFile: folder.path + "/token", atomically: true, encoding: .utf8)
            _ = try await transport.text(server.url, bearer)
            _ = try await transport.text(server.url.replacing("://", with: "://me:p%40ss@"))
        }
        let requests = server.requests
        #expect(requests.map { $0.headers["authorization"] } == [
            "Basic " + Data("user:pa:ss".utf8).base64EncodedString(), "Bearer first", "Bearer second",
            "Basic " + Data("me:p@ss".utf8).base64EncodedString(),
        ])
        #expect(requests[1].headers["x-a"] == "two")
        #expect(requests[0].headers["user-agent"] == "Apus/test")
    }

    @Test("a secret's file that is missing fails the request and says which")
    func missingFile() async throws {
        try await withTransport { transport async throws in
            let error = try await #require(throws: HTTPFailure.self) {
                try await transport.text("http://127.0.0.1:1/", try options("bearer_token_file: /nowhere/token"))
            }
            #expect(error.kind == .options)
            #expect(error.description.contains("/nowhere/token"))
        }
    }

    @Test("redirects are followed; what is secret goes to the first host alone")
    func redirects() async throws {
        let other = try LoopbackServer { _ in .text("other") }
        let server = try LoopbackServer { request in
            switch request.target {
            case "/a": .answer(status: 302, headers: ["Location": "b?x"], body: [])
            case "/b?x": .text("b")
            case "/away": .answer(status: 307, headers: ["Location": "http://localhost:\(other.port)/c"], body: [])
            case "/loop": .answer(status: 302, headers: ["Location": "/loop"], body: [])
            default: .text("?", status: 404)
            }
        }
        try await withTransport { transport async throws in
            let secret = try options("bearer_token: secret\nhttp_headers: {Cookie: {values: [x]}, X-A: {values: [y]}}")
            #expect(try await transport.text(server.url + "/a", secret) == "200 b")
            #expect(server.requests.last?.headers["authorization"] == "Bearer secret")
            let post = HTTPTransport.Request(.POST, server.url + "/away", body: Array("hello".utf8))
            let answer = try await transport.send(post, options: secret, timeout: .seconds(10))
            #expect(answer.body == Array("other".utf8))
            let arrived = try #require(other.requests.last)
            #expect(arrived.method == "POST")
            #expect(arrived.body == Array("hello".utf8))
            #expect(arrived.headers["authorization"] == nil)
            #expect(arrived.headers["cookie"] == nil)
            #expect(arrived.headers["x-a"] == "y")
            #expect(try await transport.text(server.url + "/a", try options("follow_redirects: false")) == "302 ")
            let error = try await #require(throws: HTTPFailure.self) { try await transport.text(server.url + "/loop") }
            #expect(error.kind == .redirects)
        }
    }

    @Test("an answer that takes too long, is too large or does not come fails with its kind")
    func failures() async throws {
        let silent = try LoopbackServer { _ in .silence }
        let endless = try LoopbackServer { _ in .endless(chunk: [UInt8](repeating: 1, count: 1000)) }
        let gone = try LoopbackServer { _ in .hangUp }
        gone.stop()
        try await withTransport { transport async throws in
            func failure(_ url: String) async throws -> HTTPFailure {
                try await #require(throws: HTTPFailure.self) {
                    try await transport.send(.init(.GET, url), timeout: .milliseconds(400), byteCountMax: 100_000)
                }
            }
            #expect(try await failure(silent.url).kind == .timedOut)
            #expect(try await failure(endless.url).kind == .tooLarge)
            let refused = try await failure(gone.url)
            #expect(refused.kind == .unreachable)
            #expect(refused.description == "Get \"\(gone.url)\": connection refused")
            #expect(try await failure("nonsense").kind == .options)
        }
    }

    @Test("an endless answer is handed over piece by piece, and ends when its reader does")
    func stream() async throws {
        let endless = try LoopbackServer { _ in .endless(chunk: Array("line\n".utf8)) }
        try await withTransport { transport async throws in
            let count = try await transport.stream(.init(.GET, endless.url), headTimeout: .seconds(10)) { head, chunks in
                #expect(head.status == 200)
                var count = 0
                for try await chunk in chunks {
                    count += chunk.count
                    if count > 10_000 { break }
                }
                return count
            }
            #expect(count > 10_000)
        }
    }

    @Test("a proxy is asked for plain URLs under their whole name, with its own credentials")
    func forwardingProxy() async throws {
        let proxy = try LoopbackServer { _ in .text("via proxy") }
        let direct = try LoopbackServer { _ in .text("direct") }
        try await withTransport(environment: ["HTTP_PROXY": "http://127.0.0.1:\(proxy.port)"]) { transport in
            let configured = try options("proxy_url: http://u:p@127.0.0.1:\(proxy.port)")
            for _ in 0..<2 {
                #expect(try await transport.text("http://shop.test:81/metrics?x=1", configured) == "200 via proxy")
            }
            #expect(proxy.requests.map(\.target) == Array(repeating: "http://shop.test:81/metrics?x=1", count: 2))
            #expect(proxy.requests.first?.headers["host"] == "shop.test:81")
            #expect(proxy.requests.first?.headers["proxy-authorization"] == "Basic dTpw")
            #expect(try await transport.text("http://other.test/", try options("proxy_from_environment: true")) == "200 via proxy")
            let excepted = try options("proxy_url: http://127.0.0.1:\(proxy.port)\nno_proxy: shop.test")
            #expect(try await transport.text(direct.url, excepted) == "200 direct")
            #expect(proxy.requests.count == 3)
        }
    }

    @Test("an https target behind a proxy is reached through a tunnel, with the headers for CONNECT")
    func tunnel() async throws {
        let certificates = try TestCertificates()
        let server = try await TLSServer(certificates)
        let proxy = try TunnelProxy()
        try await withTransport { transport async throws in
            let text = try await transport.text(
                "https://127.0.0.1:\(server.port)/m",
                try options(
                    """
                    proxy_url: http://u:p@127.0.0.1:\(proxy.port)
                    proxy_connect_header: {X-Tunnel: [secret]}
                    tls_config: {ca_file: \(certificates.authority), server_name: shop.test}
                    """))
            #expect(text == "200 host=127.0.0.1:\(server.port) path=/m")
        }
        let head = try #require(proxy.heads.first).lowercased()
        #expect(head.hasPrefix("connect 127.0.0.1:\(server.port) http/1.1"))
        #expect(head.contains("proxy-authorization: basic dtpw"))
        #expect(head.contains("x-tunnel: secret"))
        try await server.stop()
    }

    @Test("certificates are checked against the authority and the name that options tell")
    func tls() async throws {
        let certificates = try TestCertificates()
        let server = try await TLSServer(certificates)
        let url = "https://127.0.0.1:\(server.port)/metrics"
        try await withTransport { transport async throws in
            func failure(_ yaml: String) async throws -> String {
                try await #require(throws: HTTPFailure.self) { try await transport.text(url, try options(yaml)) }.description
            }
            #expect(try await failure("{}").contains("failed to verify the server's certificate"))
            #expect(try await failure("tls_config: {ca_file: \(certificates.authority)}").contains("tls: "))
            #expect(try await failure("tls_config: {ca_file: \(certificates.authority), server_name: other.test}").contains("tls: "))
            #expect(try await failure("tls_config: {ca: nonsense}").contains("unable to use the CA certificate (inline)"))
            #expect(try await failure("tls_config: {ca_file: /nowhere}").contains("/nowhere"))
            let expected = "200 host=127.0.0.1:\(server.port) path=/metrics"
            #expect(try await transport.text(url, try options("tls_config: {insecure_skip_verify: true}")) == expected)
            let named = "tls_config: {ca_file: \(certificates.authority), server_name: shop.test}"
            #expect(try await transport.text(url, try options(named)) == expected)
            #expect(try await transport.text(url, try options("tls_config: {insecure_skip_verify: true, min_version: TLS13, max_version: TLS13}")) == expected)
        }
        try await server.stop()
    }

    @Test("a client's certificate is shown, and read again when its files change")
    func clientCertificate() async throws {
        let certificates = try TestCertificates()
        let server = try await TLSServer(certificates, wantsClientCertificate: true)
        let url = "https://127.0.0.1:\(server.port)/"
        let folder = try ScratchFolder()
        let (certificate, key) = (folder.path + "/c.pem", folder.path + "/k.pem")
        func copy(_ from: TestCertificates) throws {
            for (source, target) in [(from.certificate("client"), certificate), (from.key("client"), key)] {
                try? FileManager.default.removeItem(atPath: target)
                try FileManager.default.copyItem(atPath: source, toPath: target)
            }
        }
        try await withTransport { transport async throws in
            let without = try options("tls_config: {ca_file: \(certificates.authority), server_name: shop.test}")
            await #expect(throws: HTTPFailure.self) { try await transport.text(url, without) }
            let with = try options(
                "tls_config: {ca_file: \(certificates.authority), server_name: shop.test, cert_file: \(certificate), key_file: \(key)}")
            await #expect(throws: HTTPFailure.self) { try await transport.text(url, with) }
            try copy(try TestCertificates())
            await #expect(throws: HTTPFailure.self) { try await transport.text(url, with) }
            try copy(certificates)
            #expect(try await transport.text(url, with).hasPrefix("200 host="))
        }
        try await server.stop()
    }
}
