import Crypto

/// A bearer token: only a digest of it stays in memory.
package struct Token: Sendable {
    /// Its name in the configuration, which logs may show.
    package var name: String
    package var scopes: Set<Scope>
    private let digest: SHA256.Digest

    package init(name: String, secret: String, scopes: Set<Scope>) {
        self.name = name
        self.scopes = scopes
        digest = SHA256.hash(data: Array(secret.utf8))
    }

    /// Whether `secret` is this token, in a time that depends on neither: digests are compared, and their comparison is constant-time.
    func matches(_ secret: [UInt8]) -> Bool {
        SHA256.hash(data: secret) == digest
    }

    /// The key that signs sessions opened with this token: they end when the token is changed or taken away.
    var sessionKey: SymmetricKey {
        SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array("apus session".utf8), using: SymmetricKey(data: digest)))
    }
}
