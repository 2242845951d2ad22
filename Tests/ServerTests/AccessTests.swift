import Foundation
import Testing
import Server
import Telemetry

/// Who may call what.
@Suite("Access") struct AccessTests {
    static let configuration = """
        tokens:
          - {name: sender, token: ingest-0123456789, scopes: [ingest]}
          - {name: reader, token: query-0123456789, scopes: [query]}
          - {name: boss, token: admin-0123456789, scopes: [admin]}
        """

    /// Token, and the status of a write, a query and a reload.
    static let table: [(token: String?, write: Int, query: Int, reload: Int)] = [
        ("ingest", 204, 403, 403), ("query", 403, 200, 403), ("admin", 204, 200, 200), ("nonsense", 401, 401, 401), (nil, 401, 401, 401),
    ]

    @Test("each scope opens its endpoints and no others")
    func scopes() async throws {
        try await TestServer.run(configuration: Self.configuration) { server in
            for row in Self.table {
                let headers = row.token.map { [("Authorization", "Bearer \($0)-0123456789")] } ?? []
                let now = TimeSource.system.nanoseconds
                let push = Array(#"{"streams":[{"stream":{"job":"a"},"values":[["\#(now)","x"]]}]}"#.utf8)
                let write = try await server.post("/loki/api/v1/push", type: "application/json", headers: headers, body: push)
                #expect(write.status == row.write, "write as \(row.token ?? "nobody")")
                do {
                    let reply = try await server.get("/api/v1/query?query=1", headers: headers)
                    #expect(reply.status == row.query)
                }
                do {
                    let reply = try await server.request("POST", "/-/reload", headers: headers)
                    #expect(reply.status == row.reload)
                }
            }
        }
    }

    @Test("basic authentication carries a token as its password")
    func basic() async throws {
        try await TestServer.run(configuration: Self.configuration) { server in
            let credentials = Data("anybody:query-0123456789".utf8).base64EncodedString()
            do {
                let reply = try await server.get("/api/v1/query?query=1", headers: [("Authorization", "Basic \(credentials)")])
                #expect(reply.status == 200)
            }
        }
    }

    @Test("health needs no token")
    func health() async throws {
        try await TestServer.run(configuration: Self.configuration) { server in
            for path in ["/-/healthy", "/-/ready", "/ready"] {
                let reply = try await server.get(path)
                #expect(reply.status == 200, "\(path)")
            }
            let refused = try await server.get("/metrics")
            #expect(refused.status == 401)
            #expect(refused.header("WWW-Authenticate") == "Bearer realm=\"apus\"")
        }
    }

    @Test("a session trades a token for a cookie, which another web site cannot use")
    func session() async throws {
        try await TestServer.run(configuration: Self.configuration) { server in
            let refused = try await server.post("/api/apus/session", type: "application/json", body: Array(#"{"token":"x"}"#.utf8))
            #expect(refused.status == 401)
            let opened = try await server.post(
                "/api/apus/session", type: "application/json", body: Array(#"{"token":"admin-0123456789"}"#.utf8))
            #expect(opened.status == 200)
            let field = try #require(opened.header("Set-Cookie"))
            #expect(field.contains("HttpOnly") && field.contains("SameSite=Strict") && !field.contains("admin-0123456789"))
            let cookie = ("Cookie", String(field.prefix { $0 != ";" }))
            do {
                let reply = try await server.get("/api/v1/query?query=1", headers: [cookie])
                #expect(reply.status == 200)
            }
            do {
                let reply = try await server.get("/api/apus/session", headers: [cookie])
                #expect(reply.text.contains(#""authenticated":true"#))
            }
            let crossSite = try await server.request("POST", "/-/compact", headers: [cookie, ("Origin", "https://evil.example")])
            #expect(crossSite.status == 403)
            let sameSite = try await server.request("POST", "/-/compact", headers: [cookie, ("Sec-Fetch-Site", "same-origin")])
            #expect(sameSite.status == 204)
            let forged = ("Cookie", "apus_session=9999999999.AAAA")
            do {
                let reply = try await server.get("/api/v1/query?query=1", headers: [forged])
                #expect(reply.status == 401)
            }
        }
    }

    @Test("a session ends with its time and with its token")
    func sessionEnds() {
        let token = Token(name: "a", secret: "one", scopes: [.query])
        let value = Session.make(token: token, now: 1_000)
        #expect(Session.isValid(value, token: token, now: 1_001))
        #expect(!Session.isValid(value, token: token, now: 1_000 + 31 * 86_400))
        #expect(!Session.isValid(value, token: Token(name: "a", secret: "two", scopes: [.query]), now: 1_001))
    }

    @Test("without tokens only loopback names are answered")
    func hosts() async throws {
        try await TestServer.run(configuration: "hosts: [apus.internal]\n") { server in
            do {
                let reply = try await server.get("/api/v1/query?query=1")
                #expect(reply.status == 200)
            }
            do {
                let reply = try await server.get("/api/v1/query?query=1", headers: [("Host", "localhost:2787")])
                #expect(reply.status == 200)
            }
            do {
                let reply = try await server.get("/api/v1/query?query=1", headers: [("Host", "apus.internal")])
                #expect(reply.status == 200)
            }
            do {
                let reply = try await server.get("/api/v1/query?query=1", headers: [("Host", "evil.example")])
                #expect(reply.status == 421)
            }
        }
    }

    @Test("an address beyond loopback without tokens is refused, with the two remedies")
    func exposure() throws {
        var options = ServeOptions()
        options.listen = ListenAddress(host: "0.0.0.0", port: 0)
        let error = #expect(throws: ServeError.self) { try ServerForTests.make(options) }
        #expect(error?.exitCode == .unprotected)
        #expect(error?.description.contains("tokens") == true && error?.description.contains("--insecure") == true)
        options.isInsecure = true
        #expect(throws: Never.self) { try ServerForTests.make(options) }
        options.isInsecure = false
        options.environment = ["APUS_TOKEN": "0123456789abcdef"]
        #expect(throws: Never.self) { try ServerForTests.make(options) }
    }
}
