/// How requests are made: Prometheus' HTTP client configuration (prometheus/common, `config.HTTPClientConfig`), shared by scrapes,
/// discoveries, remote write and probes.
package struct HTTPClientOptions: Sendable, Hashable {
    /// Headers that a configuration adds to every request, values and files in the order in which they are written.
    package struct Header: Sendable, Hashable {
        package var name: String
        package var values: [ConfiguredSecret]

        package init(name: String, values: [ConfiguredSecret]) {
            self.name = name
            self.values = values
        }
    }

    package var authorization = HTTPAuthorization.none
    package var tls = TLSOptions()
    package var proxy = ProxyOptions()
    package var followRedirects = true
    /// Whether HTTP/2 is offered where TLS is spoken.
    package var enableHTTP2 = true
    /// In order of name.
    package var headers: [Header] = []

    package init() {}
}

/// Who a request says it is from.
package enum HTTPAuthorization: Sendable, Hashable {
    case none
    case basic(username: ConfiguredSecret, password: ConfiguredSecret)
    /// `scheme` is `Bearer` unless configured.
    case credentials(scheme: String, ConfiguredSecret)
    /// A token that a server hands out, renewed before it expires.
    case oauth2(OAuth2Options)
}

/// A text that stands in the configuration or in a file. Files are read at each use, so that secrets can be rotated.
package enum ConfiguredSecret: Sendable, Hashable {
    case text(String)
    /// An absolute path, or one that starts at the working directory.
    case file(String)
}

/// `tls_config`.
package struct TLSOptions: Sendable, Hashable {
    package enum Version: String, Sendable, Hashable, CaseIterable {
        case tls10 = "TLS10"
        case tls11 = "TLS11"
        case tls12 = "TLS12"
        case tls13 = "TLS13"
    }

    /// PEM; nil means the system's authorities.
    package var authority: ConfiguredSecret?
    /// PEM, the leaf first; only together with ``key``.
    package var certificate: ConfiguredSecret?
    package var key: ConfiguredSecret?
    /// The name that is asked for and that the certificate must bear; empty means the host of the URL.
    package var serverName = ""
    package var skipsVerification = false
    /// nil means TLS 1.2, as in Go.
    package var versionMin: Version?
    package var versionMax: Version?

    package init() {}
}

/// `proxy_url` and its companions.
package struct ProxyOptions: Sendable, Hashable {
    /// `http://`, `https://` or `socks5://`, user and password included; empty means none.
    package var url = ""
    /// Comma-separated hosts, domains and networks that are reached without the proxy.
    package var exceptions = ""
    /// Whether `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` count instead of the two above.
    package var isFromEnvironment = false
    /// Sent to the proxy with CONNECT, in order of name.
    package var connectHeaders: [ConnectHeader] = []

    package struct ConnectHeader: Sendable, Hashable {
        package var name: String
        package var values: [String]
    }

    package init() {}
}

/// `oauth2`: a token by client credentials (RFC 6749, section 4.4) or by a signed assertion (RFC 7523).
package struct OAuth2Options: Sendable, Hashable {
    package enum Grant: Sendable, Hashable {
        case clientCredentials(secret: ConfiguredSecret)
        case signedAssertion(AssertionOptions)
    }

    package var clientID: String
    package var tokenURL: String
    package var grant: Grant
    package var scopes: [String] = []
    /// Further parameters of the request for a token, in order of name.
    package var endpointParameters: [Parameter] = []
    /// How the token's server is reached.
    package var tls = TLSOptions()
    package var proxy = ProxyOptions()

    package struct Parameter: Sendable, Hashable {
        package var name: String
        package var value: String
    }

    /// What an assertion says and how it is signed.
    package struct AssertionOptions: Sendable, Hashable {
        package enum Algorithm: String, Sendable, Hashable, CaseIterable {
            case rs256 = "RS256"
            case rs384 = "RS384"
            case rs512 = "RS512"
        }

        /// A PEM private key.
        package var key: ConfiguredSecret
        package var keyID = ""
        package var algorithm = Algorithm.rs256
        /// Empty means the client's id.
        package var issuer = ""
        /// Empty means the token's URL.
        package var audience = ""
        /// Further claims, as JSON members, in order of name.
        package var claims: [Claim] = []

        package struct Claim: Sendable, Hashable {
            package var name: String
            /// JSON.
            package var value: String
        }
    }
}
