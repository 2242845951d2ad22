import Settings

/// The options of an HTTP module (blackbox exporter, CONFIGURATION.md, "http_probe").
package struct HTTPProbeOptions: Sendable, Hashable {
    /// A condition on a header; one that is missing fails unless that is allowed.
    package struct HeaderMatch: Sendable, Hashable {
        var name: String
        var expression: ProbeExpression
        var allowsMissing: Bool
    }

    package struct Header: Sendable, Hashable {
        var name: String
        var value: String
    }

    package var address = ProbeAddressOptions()
    /// Empty: any of 200 to 299.
    package var validStatusCodes: [Int] = []
    /// As `HTTP/1.1`; empty: any.
    package var validVersions: [String] = []
    package var method = "GET"
    package var headers: [Header] = []
    package var body = ""
    package var bodyFile: String?
    /// Authorization, TLS, further headers, and whether redirects are followed.
    package var client = HTTPClientOptions()
    package var failsIfSSL = false
    package var failsIfNotSSL = false
    package var failIfBodyMatches: [ProbeExpression] = []
    package var failIfBodyNotMatches: [ProbeExpression] = []
    package var failIfHeaderMatches: [HeaderMatch] = []
    package var failIfHeaderNotMatches: [HeaderMatch] = []
    /// How the body must be compressed: `gzip` or `deflate`; "" takes it as it is.
    package var compression = ""
    /// Of the uncompressed body; 0: ``HTTPProbeLimits/bodyByteCountMax``.
    package var bodyByteCountMax = 0

    package init() {}
}

/// What no module may exceed.
enum HTTPProbeLimits {
    /// A probe looks at pages, not at downloads; what is beyond fails.
    static let bodyByteCountMax = 64 << 20
    static let redirectCountMax = 10
}
