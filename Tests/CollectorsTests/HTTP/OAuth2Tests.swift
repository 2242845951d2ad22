import Codecs
import Crypto
import CryptoExtras
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Collectors

@Suite("OAuth2")
struct OAuth2Tests {
    /// A server of tokens that counts them: `token-1`, `token-2`, …
    private func tokenServer(
        expiresIn: Int, refusesHeader: Bool = false
    ) throws -> LoopbackServer {
        let count = Mutex(0)
        return try LoopbackServer { request in
            if refusesHeader, request.headers["authorization"] != nil { return .text("{\"error\":\"invalid_client\"}", status: 401) }
            let number = count.withLock { count in
                count += 1
                return count
            }
            return .text(
                "{\"access_token\":\"token-\(number)\",\"token_type\":\"bearer\",\"expires_in\":\(expiresIn)}",
                contentType: "application/json")
        }
    }

    private func options(_ tokens: LoopbackServer, _ more: String = "") throws -> HTTPClientOptions {
        try HTTPClientOptionsTests.parse(
            "oauth2: {client_id: 'a b', client_secret: 's/s', token_url: '\(tokens.url)/token', scopes: [x, y], endpoint_params: {audience: shop}\(more)}")
    }

    @Test("one token is fetched for all who need it, and kept while it is good")
    func cached() async throws {
        let tokens = try tokenServer(expiresIn: 3600)
        let target = try LoopbackServer { _ in .text("ok") }
        try await withTransport { transport async throws in
            let options = try options(tokens)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { _ = try? await transport.text(target.url, options) } }
            }
            _ = try await transport.text(target.url, options)
        }
        #expect(tokens.requests.count == 1)
        #expect(target.requests.count == 9)
        #expect(target.requests.allSatisfy { $0.headers["authorization"] == "Bearer token-1" })
        let request = try #require(tokens.requests.first)
        #expect(String(decoding: request.body, as: UTF8.self) == "grant_type=client_credentials&scope=x+y&audience=shop")
        #expect(request.headers["authorization"] == "Basic " + Data("a+b:s%2Fs".utf8).base64EncodedString())
    }

    @Test("a token that ends within ten seconds is renewed")
    func renewed() async throws {
        let tokens = try tokenServer(expiresIn: 5)
        let target = try LoopbackServer { _ in .text("ok") }
        try await withTransport { transport async throws in
            for _ in 0..<2 { _ = try await transport.text(target.url, try options(tokens)) }
        }
        #expect(target.requests.map { $0.headers["authorization"] } == ["Bearer token-1", "Bearer token-2"])
    }

    @Test("a server that wants the client's secret as a parameter gets it there, and at once the next time")
    func parameters() async throws {
        let tokens = try tokenServer(expiresIn: 5, refusesHeader: true)
        let target = try LoopbackServer { _ in .text("ok") }
        try await withTransport { transport async throws in
            for _ in 0..<2 { _ = try await transport.text(target.url, try options(tokens)) }
        }
        #expect(tokens.requests.count == 3)
        #expect(String(decoding: tokens.requests[1].body, as: UTF8.self).hasSuffix("&client_id=a+b&client_secret=s%2Fs"))
    }

    @Test("no token, no request: the error says what the server of tokens said")
    func refused() async throws {
        let tokens = try LoopbackServer { _ in .text("{\"error\":\"invalid_client\"}", status: 401) }
        let target = try LoopbackServer { _ in .text("ok") }
        try await withTransport { transport async throws in
            let error = try await #require(throws: HTTPFailure.self) { try await transport.text(target.url, try options(tokens)) }
            #expect(error.kind == .unauthorized)
            #expect(error.description.contains("401"))
            #expect(error.description.contains("invalid_client"))
        }
        #expect(target.requests.isEmpty)
    }

    @Test("a signed assertion is traded for a token")
    func assertion() async throws {
        let tokens = try tokenServer(expiresIn: 3600)
        let target = try LoopbackServer { _ in .text("ok") }
        let folder = try ScratchFolder()
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        try key.pemRepresentation.write(toFile: folder.path + "/key.pem", atomically: true, encoding: .utf8)
        try await withTransport { transport async throws in
            _ = try await transport.text(
                target.url,
                try options(
                    tokens,
                    ", grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', client_certificate_key_file: \(folder.path)/key.pem, "
                        + "client_certificate_key_id: k1, claims: {role: reader, level: 3}"))
        }
        #expect(target.requests.first?.headers["authorization"] == "Bearer token-1")
        let body = String(decoding: try #require(tokens.requests.first).body, as: UTF8.self)
        let assertion = try #require(body.split(separator: "&").first { $0.hasPrefix("assertion=") }).dropFirst("assertion=".count)
        let parts = assertion.split(separator: ".").map(String.init)
        let claims = String(decoding: Base64.decode(parts[1]) ?? [], as: UTF8.self)
        #expect(String(decoding: Base64.decode(parts[0]) ?? [], as: UTF8.self) == "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}")
        #expect(claims.hasPrefix("{\"iss\":\"a b\",\"sub\":\"a b\",\"aud\":\"\(tokens.url)/token\",\"scope\":\"x y\",\"iat\":"))
        #expect(claims.hasSuffix(",\"level\":3,\"role\":\"reader\"}"))
        let signature = _RSA.Signing.RSASignature(rawRepresentation: Data(Base64.decode(parts[2]) ?? []))
        #expect(
            key.publicKey.isValidSignature(signature, for: SHA256.hash(data: Data((parts[0] + "." + parts[1]).utf8)), padding: .insecurePKCS1v1_5))
    }
}

