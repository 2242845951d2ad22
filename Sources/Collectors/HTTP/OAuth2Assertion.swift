import Codecs
import Crypto
import CryptoExtras
import FoundationEssentials
import Telemetry

/// A signed assertion, traded for a token (RFC 7523, section 2.1).
enum OAuth2Assertion {
    /// How long it is good for (golang.org/x/oauth2/jwt).
    private static let lifetimeSeconds: Int64 = 3600

    /// - Parameter key: an RSA private key in PEM.
    static func sign(
        _ assertion: OAuth2Options.AssertionOptions, _ options: OAuth2Options, key: String, time: TimeSource = .system
    ) throws(HTTPFailure) -> String {
        var header = JSONWriter(escapesHTML: false)
        header.object { writer in
            writer.field("alg", assertion.algorithm.rawValue)
            writer.field("typ", "JWT")
            if !assertion.keyID.isEmpty { writer.field("kid", assertion.keyID) }
        }
        let now = time.milliseconds / 1_000
        var claims = JSONWriter(escapesHTML: false)
        claims.object { writer in
            writer.field("iss", assertion.issuer.isEmpty ? options.clientID : assertion.issuer)
            writer.field("sub", options.clientID)
            writer.field("aud", assertion.audience.isEmpty ? options.tokenURL : assertion.audience)
            if !options.scopes.isEmpty { writer.field("scope", options.scopes.joined(separator: " ")) }
            writer.field("iat", now - 10)
            writer.field("exp", now - 10 + lifetimeSeconds)
            for claim in assertion.claims {
                writer.key(claim.name)
                writer.raw(claim.value)
            }
        }
        let signed = urlSafe(header.bytes) + "." + urlSafe(claims.bytes)
        do {
            let key = try _RSA.Signing.PrivateKey(pemRepresentation: key)
            let bytes = Data(signed.utf8)
            let signature =
                switch assertion.algorithm {
                case .rs256: try key.signature(for: SHA256.hash(data: bytes), padding: .insecurePKCS1v1_5)
                case .rs384: try key.signature(for: SHA384.hash(data: bytes), padding: .insecurePKCS1v1_5)
                case .rs512: try key.signature(for: SHA512.hash(data: bytes), padding: .insecurePKCS1v1_5)
                }
            return signed + "." + urlSafe(Array(signature.rawRepresentation))
        } catch {
            throw HTTPFailure(.options, "oauth2: the client's certificate key cannot sign: no RSA private key in PEM: \(error)")
        }
    }

    private static func urlSafe(_ bytes: [UInt8]) -> String {
        Base64.encode(bytes).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
