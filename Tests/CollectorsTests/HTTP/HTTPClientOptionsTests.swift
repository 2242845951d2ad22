import Settings
import Testing

@testable import Collectors

@Suite("HTTPClientOptions")
struct HTTPClientOptionsTests {
    static func parse(_ text: String) throws -> HTTPClientOptions {
        try HTTPClientOptions(try ConfigurationNode.parse(text, file: "/etc/p.yml").mapping(HTTPClientOptions.keys))
    }

    @Test("every option of Prometheus' HTTP client is read; files stand beside the configuration")
    func reads() throws {
        let options = try Self.parse(
            """
            oauth2:
              client_id: apus
              client_secret_file: secret
              token_url: https://login.test/token
              scopes: [a, b]
              endpoint_params: {audience: shop}
              tls_config: {ca_file: ca.pem}
              proxy_url: http://proxy:3128
            tls_config: {ca_file: ca.pem, cert: C, key_file: k.pem, server_name: shop.test, insecure_skip_verify: true, min_version: TLS12, max_version: TLS13}
            proxy_url: http://u:p@proxy:3128
            no_proxy: .internal,10.0.0.0/8
            proxy_connect_header: {X-A: [one, two]}
            follow_redirects: false
            enable_http2: false
            http_headers:
              X-Tenant: {values: [a], secrets: [b], files: [tenant]}
            """)
        guard case .oauth2(let oauth2) = options.authorization else {
            Issue.record("\(options.authorization)")
            return
        }
        #expect(oauth2.grant == .clientCredentials(secret: .file("/etc/secret")))
        #expect(oauth2.scopes == ["a", "b"])
        #expect(oauth2.endpointParameters == [.init(name: "audience", value: "shop")])
        #expect(oauth2.tls.authority == .file("/etc/ca.pem"))
        #expect(oauth2.proxy.url == "http://proxy:3128")
        #expect(options.tls.certificate == .text("C"))
        #expect(options.tls.key == .file("/etc/k.pem"))
        #expect(options.tls.serverName == "shop.test")
        #expect(options.tls.skipsVerification)
        #expect(options.tls.versionMin == .tls12)
        #expect(options.tls.versionMax == .tls13)
        #expect(options.proxy.exceptions == ".internal,10.0.0.0/8")
        #expect(options.proxy.connectHeaders == [.init(name: "X-A", values: ["one", "two"])])
        #expect(!options.followRedirects)
        #expect(!options.enableHTTP2)
        #expect(options.headers == [.init(name: "X-Tenant", values: [.text("a"), .text("b"), .file("/etc/tenant")])])
    }

    @Test(
        "what Prometheus refuses is refused with its place",
        arguments: [
            ("bearer_token: x\nbearer_token_file: y", "2:20: at most one of bearer_token & bearer_token_file must be configured"),
            ("basic_auth: {username: u}\nbearer_token: x", "2:15: at most one of basic_auth, oauth2, bearer_token & bearer_token_file"),
            ("authorization: {}\nbearer_token: x", "2:15: authorization is not compatible with bearer_token & bearer_token_file"),
            ("basic_auth: {}\nauthorization: {}", "2:16: at most one of basic_auth, oauth2 & authorization must be configured"),
            ("basic_auth: {password: a, password_file: b}", "1:42: at most one of basic_auth password & password_file"),
            ("authorization: {type: Basic}", "1:23: authorization type cannot be set to \"basic\", use basic_auth instead"),
            ("oauth2: {token_url: 'http://x'}", "1:9: oauth2 client_id must be configured"),
            ("oauth2: {client_id: x}", "1:9: oauth2 token_url must be configured"),
            ("tls_config: {cert: x}", "1:13: exactly one of key or key_file must be configured"),
            ("tls_config: {key_file: x}", "1:13: exactly one of cert or cert_file must be configured"),
            ("tls_config: {min_version: TLS9}", "1:27: tls_config.min_version has the unknown value \"TLS9\""),
            ("tls_config: {min_version: TLS13, max_version: TLS12}", "1:47: max_version must be greater than or equal"),
            ("tls_config: {caa: x}", "1:14: unknown key in tls_config: \"caa\"; did you mean \"ca\"?"),
            ("proxy_connect_header: {A: [b]}", "1:23: if proxy_connect_header is configured, proxy_url or proxy_from_environment"),
            ("proxy_from_environment: true\nproxy_url: http://x", "2:12: if proxy_from_environment is configured, proxy_url must not"),
            ("no_proxy: x", "1:11: if no_proxy is configured, proxy_url must also be configured"),
            ("proxy_url: ftp://x", "1:12: \"ftp://x\" names no proxy"),
            ("http_headers: {Authorization: {values: [x]}}", "1:16: setting header \"Authorization\" is not allowed"),
        ])
    func refuses(text: String, message: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try Self.parse(text) }
        #expect(error.description.hasPrefix("/etc/p.yml:" + message), "\(error)")
    }

    @Test(
        "no_proxy knows names, domains, addresses, networks and ports; the machine itself is always reached directly",
        arguments: [
            ("example.org", "example.org", 80, true), ("example.org", "a.example.org", 80, true),
            ("example.org", "badexample.org", 80, false), (".example.org", "example.org", 80, false),
            (".example.org", "a.example.org", 80, true), ("*.example.org", "a.example.org", 443, true),
            ("example.org:8080", "example.org", 80, false), ("example.org:8080", "example.org", 8080, true),
            ("10.0.0.0/8", "10.200.3.4", 80, true), ("10.0.0.0/8", "11.0.0.1", 80, false),
            ("192.168.1.1", "192.168.1.1", 80, true), ("192.168.1.1:81", "192.168.1.1", 80, false), ("fd00::/8", "fd12::1", 80, true),
            ("*", "anything", 80, true), ("", "localhost", 80, true), ("", "127.0.0.9", 80, true), ("", "::1", 80, true),
            ("", "example.org", 80, false),
        ])
    func exceptions(rules: String, host: String, port: Int, isDirect: Bool) {
        #expect(ProxyExceptions(rules).match(host: host, port: port) == isDirect)
    }

    @Test("the environment names a proxy by scheme")
    func environment() throws {
        var options = ProxyOptions()
        options.isFromEnvironment = true
        let choice = ProxyChoice(options, environment: ["http_proxy": "plain:1", "HTTPS_PROXY": "http://secure:2", "NO_PROXY": "direct.test"])
        func server(_ url: String) throws -> ProxyServer? { choice.server(for: try #require(URLParts(url))) }
        #expect(try server("http://a.test/")?.host == "plain")
        #expect(try server("https://a.test/")?.port == 2)
        #expect(try server("https://direct.test/") == nil)
        #expect(try server("http://localhost/") == nil)
    }

    @Test(
        "a Location is resolved against the URL that sent it",
        arguments: [
            ("/c?d", "http://h:1/c?d"), ("c", "http://h:1/a/c"), ("../c", "http://h:1/c"), ("?x=1", "http://h:1/a/b?x=1"),
            ("//g/x", "http://g/x"), ("https://g:2/y#z", "https://g:2/y"), ("./", "http://h:1/a/"), ("", "http://h:1/a/b?q"),
        ])
    func resolving(location: String, expected: String) throws {
        #expect(try #require(URLParts("http://user:pw@h:1/a/b?q#f")).resolving(location)?.text == expected)
    }

    @Test("a URL without a host, or with a port beyond 65535, is none", arguments: ["", "h:1", "http://", "http://h:99999", "http://[::1", "http://h:x"])
    func notURLs(text: String) {
        #expect(URLParts(text) == nil)
    }
}
