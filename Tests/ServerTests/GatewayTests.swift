import Codecs
import Foundation
import Server
import TestSupport
import Testing
import Web

/// What every request goes through: paths, bodies, headers.
@Suite("Gateway") struct GatewayTests {
    static let page = """
        <!doctype html><html><head>
        <script type="importmap">{"imports":{"vue":"/vendor/vue.js"}}</script>
        <script type="module" src="/main.js"></script></head><body></body></html>
        """

    /// A web folder as the checkout has it, with a secret beside it.
    static func webFolder() throws -> ScratchFolder {
        let folder = try ScratchFolder()
        for name in ["web/app", "web/vendor/codemirror"] {
            try FileManager.default.createDirectory(at: folder.url.appending(path: name), withIntermediateDirectories: true)
        }
        try Data(page.utf8).write(to: folder.url.appending(path: "web/app/index.html"))
        try Data(String(repeating: "export const answer = 42;\n", count: 800).utf8).write(to: folder.url.appending(path: "web/app/main.js"))
        for library in WebApp.vendorFiles {
            try Data("export default {}\n".utf8).write(to: folder.url.appending(path: "web/vendor/" + library))
        }
        try Data("classified".utf8).write(to: folder.url.appending(path: "secret.txt"))
        try Data("classified".utf8).write(to: folder.url.appending(path: "web/app/.hidden.js"))
        try FileManager.default.createSymbolicLink(
            at: folder.url.appending(path: "web/app/link.js"), withDestinationURL: folder.url.appending(path: "secret.txt"))
        return folder
    }

    @Test("the web app's page allows its import map and no other inline script")
    func contentSecurityPolicy() async throws {
        let folder = try Self.webFolder()
        try await TestServer.run(webFolder: folder.path + "/web") { server in
            for path in ["/", "/services", "/service/shop.orders", "/trace/0123"] {
                let page = try await server.get(path)
                #expect(page.status == 200)
                #expect(page.text == Self.page)
                let policy = try #require(page.header("Content-Security-Policy"))
                let scripts = try #require(policy.split(separator: ";").first { $0.contains("script-src") })
                // The digest of the import map's text, from another implementation of SHA-256.
                #expect(scripts == " script-src 'self' 'sha256-XieE3JtFtt02nsIr8DRH9/pxhNInaHXTXIVHHJdImGM='")
                #expect(policy.contains("frame-ancestors 'none'"))
                #expect(page.header("X-Content-Type-Options") == "nosniff")
            }
        }
        _ = folder
    }

    @Test("a page whose libraries were not fetched says so, and how to fetch them")
    func missingLibraries() async throws {
        let folder = try Self.webFolder()
        try FileManager.default.removeItem(at: folder.url.appending(path: "web/vendor/vue.js"))
        try await TestServer.run(webFolder: folder.path + "/web") { server in
            let page = try await server.get("/")
            #expect(page.status == 503)
            #expect(page.text.contains("vue.js") && page.text.contains("scripts/fetch-web.sh"))
        }
        _ = folder
    }

    @Test("files come with their type, compressed, and as 304 when they are known")
    func files() async throws {
        let folder = try Self.webFolder()
        try await TestServer.run(webFolder: folder.path + "/web") { server in
            let script = try await server.get("/main.js", headers: [("Accept-Encoding", "gzip")])
            #expect(script.header("Content-Type") == "text/javascript; charset=utf-8")
            #expect(script.header("Content-Encoding") == "gzip")
            #expect(try Compression.gzip.decompress(script.body.span, byteCountMax: 1 << 20).count == 20_800)
            let tag = try #require(script.header("ETag"))
            do {
                let reply = try await server.get("/main.js", headers: [("If-None-Match", tag)])
                #expect(reply.status == 304)
            }
            do {
                let reply = try await server.get("/vendor/vue.js")
                #expect(reply.status == 200)
            }
            do {
                let reply = try await server.get("/nothing.js")
                #expect(reply.status == 404)
            }
        }
        _ = folder
    }

    @Test(
        "no path leads out of the web folder",
        arguments: [
            "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/vendor/../../secret.txt", "/vendor/..%2f..%2fsecret.txt",
            "/..%5csecret.txt", "/link.js", "/.hidden.js", "/%00", "//etc/passwd",
        ])
    func traversal(path: String) async throws {
        let folder = try Self.webFolder()
        try await TestServer.run(webFolder: folder.path + "/web") { server in
            let reply = try await server.get(path)
            #expect(!reply.text.contains("classified") && !reply.text.contains("root:"))
        }
        _ = folder
    }

    @Test("what is not there is 404, a wrong method 405, and nothing else is a page")
    func notFound() async throws {
        try await TestServer.run { server in
            do {
                let reply = try await server.get("/api/v1/nothing")
                #expect(reply.status == 404)
            }
            do {
                let reply = try await server.get("/api/v1/write")
                #expect(reply.status == 405)
            }
            do {
                let reply = try await server.request("PATCH", "/api/v1/query")
                #expect(reply.status == 405)
            }
            do {
                let reply = try await server.request("HEAD", "/api/v1/query?query=1")
                #expect(reply.status == 200)
            }
        }
    }

    @Test("a body over the limit is 413, compressed or not, and a bomb stops at the limit")
    func bodyLimit() async throws {
        try await TestServer.run(configuration: "limits: {body_size: 64KB}\n") { server in
            let zeros = [UInt8](repeating: 0x20, count: 200_000)
            do {
                let reply = try await server.post("/v1/traces", type: "application/json", body: zeros)
                #expect(reply.status == 413)
            }
            let bomb = Compression.gzip.compress([UInt8](repeating: 0x20, count: 10 << 20).span)
            #expect(bomb.count < 64_000)
            let reply = try await server.post("/v1/traces", type: "application/json", headers: [("Content-Encoding", "gzip")], body: bomb)
            #expect(reply.status == 413)
            #expect(reply.text.contains("limit of 65536 bytes"))
        }
    }

    @Test("every encoding is understood, and an unknown one is 415", arguments: ["identity", "gzip", "deflate", "zstd", "br"])
    func encodings(name: String) async throws {
        try await TestServer.run { server in
            let plain = Array(#"{"streams":[{"stream":{"job":"a"},"values":[["\#(IngestTests.now)","x"]]}]}"#.utf8)
            let body = Compression.named(contentEncoding: name).map { $0.compress(plain.span) } ?? plain
            let reply = try await server.post(
                "/loki/api/v1/push", type: "application/json", headers: [("Content-Encoding", name)], body: body)
            #expect(reply.status == (name == "br" ? 415 : 204))
        }
    }

    @Test("answers that fit a connection's first window are sent as they are; longer ones are compressed for clients that take it")
    func answerCompression() async throws {
        let folder = try Self.webFolder()
        try await TestServer.run(webFolder: folder.path + "/web") { server in
            let short = try await server.get("/-/healthy", headers: [("Accept-Encoding", "gzip")])
            #expect(short.header("Content-Encoding") == nil)
            for (accepted, encoding) in [("gzip", "gzip"), ("gzip;q=0", nil), ("", nil)] {
                let long = try await server.get("/main.js", headers: [("Accept-Encoding", accepted)])
                #expect(long.header("Content-Encoding") == encoding, "\(accepted)")
                #expect(long.header("Vary") == "Accept-Encoding")
            }
        }
    }

    @Test("headers beyond the limit end the connection")
    func headerLimit() async throws {
        try await TestServer.run { server in
            let reply = try? await server.get("/-/healthy", headers: [("X-Long", String(repeating: "a", count: 100_000))])
            #expect(reply?.status != 200)
        }
    }

    @Test("the OTLP port answers OTLP and health alone")
    func otlpPort() async throws {
        try await TestServer.run { server in
            let request = Array(#"{"resourceSpans":[]}"#.utf8)
            let reply = try await server.request(
                "POST", "/v1/traces", headers: [("Content-Type", "application/json")], body: request, listener: "otlp-http")
            #expect(reply.status == 200)
            do {
                let reply = try await server.request("GET", "/-/healthy", listener: "otlp-http")
                #expect(reply.status == 200)
            }
            do {
                let reply = try await server.request("GET", "/api/v1/query?query=1", listener: "otlp-http")
                #expect(reply.status == 404)
            }
        }
    }
}
