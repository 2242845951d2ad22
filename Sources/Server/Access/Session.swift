import Codecs
import Crypto

/// The web app's session: a signed cookie. It holds no token, and the server keeps no list: it is valid until its time has passed or
/// the token that it was opened with is gone from the configuration.
package enum Session {
    static let cookieName = "apus_session"

    /// `EXPIRY.SIGNATURE`, the signature being HMAC-SHA256 of the expiry under the token's session key.
    package static func make(token: Token, now: Int64) -> String {
        let expiry = String(now + Limits.sessionSeconds)
        let signature = HMAC<SHA256>.authenticationCode(for: Array(expiry.utf8), using: token.sessionKey)
        return "\(expiry).\(Base64.encode(Array(signature)))"
    }

    package static func isValid(_ value: String, token: Token, now: Int64) -> Bool {
        let parts = value.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let expiry = Int64(parts[0]), let signature = Base64.decode(String(parts[1])) else { return false }
        // The comparison inside is constant-time.
        let isSigned = HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: Array(parts[0].utf8), using: token.sessionKey)
        return isSigned && now < expiry
    }

    /// The session's value in a `Cookie` header.
    static func value(inCookies field: String) -> String? {
        for pair in field.split(separator: ";") {
            guard let equals = pair.firstIndex(of: "=") else { continue }
            if pair[..<equals].trimmed == cookieName { return pair[pair.index(after: equals)...].trimmed }
        }
        return nil
    }

    /// The `Set-Cookie` field that keeps `value`; nil removes the cookie.
    static func cookie(_ value: String?, isSecure: Bool) -> String {
        let lifetime = value == nil ? 0 : Limits.sessionSeconds
        return "\(cookieName)=\(value ?? ""); Path=/; Max-Age=\(lifetime); HttpOnly; SameSite=Strict" + (isSecure ? "; Secure" : "")
    }
}
