import Codecs

/// Who may do what: the tokens, and how a request shows one. Replaced as a whole on reload.
package struct Access: Sendable {
    package var tokens: [Token]
    /// Names beside the loopback ones that a `Host` header may carry where no tokens are needed; nil: any.
    package var hosts: [String]?

    package init(tokens: [Token], hosts: [String]? = nil) {
        self.tokens = tokens
        self.hosts = hosts
    }

    /// Whether requests need a token.
    package var isRequired: Bool { !tokens.isEmpty }

    /// Who makes a request with these headers (lower-case names).
    ///
    /// - Parameter now: seconds since the Unix epoch.
    /// - Throws: ``APIError`` (401) for a token that is not known. A session that has ended is nobody, so that the web app can ask anew.
    package func principal(headers: [String: String], now: Int64) throws(APIError) -> Principal {
        guard isRequired else { return .open }
        if let field = headers["authorization"], let secret = Self.secret(authorization: field) {
            guard let token = token(secret) else {
                throw APIError(.unauthenticated, "unknown token: send one of apus.yaml's tokens as \"Authorization: Bearer TOKEN\"")
            }
            return Principal(name: token.name, scopes: token.scopes)
        }
        if let cookie = headers["cookie"], let value = Session.value(inCookies: cookie) {
            for token in tokens where Session.isValid(value, token: token, now: now) {
                return Principal(name: token.name, scopes: token.scopes, isSession: true)
            }
        }
        return .anonymous
    }

    /// The token with this secret. Every token is compared, so that the time tells nothing of which one it is.
    package func token(_ secret: [UInt8]) -> Token? {
        var found: Token?
        for token in tokens where token.matches(secret) { found = token }
        return found
    }

    /// Checks that `principal` has `scope`.
    package func require(_ scope: Scope, of principal: Principal) throws(APIError) {
        if principal.may(scope) { return }
        if principal.name.isEmpty {
            throw APIError(.unauthenticated, "a token with scope \(scope.rawValue) is needed: send \"Authorization: Bearer TOKEN\"")
        }
        throw APIError(.forbidden, "token \"\(principal.name)\" lacks the scope \(scope.rawValue)")
    }

    /// The secret of an `Authorization` field: a bearer token, or the password of Basic, which is all that some senders can be told to send.
    static func secret(authorization field: String) -> [UInt8]? {
        guard let space = field.firstIndex(of: " ") else { return nil }
        let value = field[field.index(after: space)...].trimmed
        switch field[..<space].lowercased() {
        case "bearer":
            return Array(value.utf8)
        case "basic":
            guard let decoded = Base64.decode(value), let colon = decoded.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            return Array(decoded[(colon + 1)...])
        default:
            return nil
        }
    }
}
