/// What a token allows.
package enum Scope: String, Sendable, Hashable, CaseIterable {
    /// Sending telemetry.
    case ingest
    /// Reading it: the query APIs, `/metrics` and the web app.
    case query
    /// Everything: the two others, reload and compaction.
    case admin
}

/// Who makes a request, and what it may do.
package struct Principal: Sendable, Hashable {
    /// The token's name in the configuration; "" where no token is needed.
    package var name: String
    package var scopes: Set<Scope>
    /// Known by the cookie of the web app, hence to be checked against requests that another site makes a browser send.
    package var isSession: Bool

    package init(name: String, scopes: Set<Scope>, isSession: Bool = false) {
        self.name = name
        self.scopes = scopes
        self.isSession = isSession
    }

    /// Everybody, where no tokens are configured.
    package static let open = Principal(name: "", scopes: Set(Scope.allCases))
    /// Nobody known.
    package static let anonymous = Principal(name: "", scopes: [])

    package func may(_ scope: Scope) -> Bool {
        scopes.contains(scope) || scopes.contains(.admin)
    }
}
