package import Settings
import Telemetry

extension HTTPClientOptions {
    /// The keys of Prometheus' HTTP client configuration, for whoever reads a mapping that has them among its own.
    package static let keys =
        [
            "basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file", "tls_config", "follow_redirects",
            "enable_http2", "http_headers",
        ] + ProxyOptions.keys

    /// Reads the options of a mapping; refuses what Prometheus refuses (`HTTPClientConfig.Validate`).
    package init(_ mapping: ConfigurationMapping) throws(ConfigurationError) {
        self.init()
        authorization = try HTTPAuthorization(mapping)
        if let node = mapping["tls_config"] { tls = try TLSOptions(node) }
        proxy = try ProxyOptions(mapping)
        followRedirects = try mapping["follow_redirects"]?.bool ?? true
        enableHTTP2 = try mapping["enable_http2"]?.bool ?? true
        for (key, value) in try mapping["http_headers"]?.pairs ?? [] {
            headers.append(try Header(key: key, value))
        }
        headers.sort { $0.name.utf8Precedes($1.name) }
    }
}

extension HTTPClientOptions.Header {
    /// Set by the client itself, or by other options (prometheus/common, `config.ReservedHeaders`).
    private static let reserved: Set<String> = [
        "authorization", "host", "content-encoding", "content-length", "content-type", "user-agent", "connection",
        "keep-alive", "proxy-authenticate", "proxy-authorization", "www-authenticate", "accept-encoding",
        "x-prometheus-remote-write-version", "x-prometheus-remote-read-version", "x-prometheus-scrape-timeout-seconds",
        "x-amz-date", "x-amz-security-token", "x-amz-content-sha256",
    ]

    fileprivate init(key: ConfigurationNode, _ node: ConfigurationNode) throws(ConfigurationError) {
        name = try key.nonEmptyString
        guard !Self.reserved.contains(name.lowercased()) else {
            throw key.error("setting header \(name.debugDescription) is not allowed")
        }
        let fields = try node.mapping(["values", "secrets", "files"])
        values = []
        for list in ["values", "secrets"] {
            for item in try fields[list]?.list ?? [] { values.append(.text(try item.string)) }
        }
        for item in try fields["files"]?.list ?? [] {
            values.append(.file(FileGlob.resolve(try item.nonEmptyString, relativeToFile: item.file)))
        }
    }
}

extension HTTPAuthorization {
    fileprivate init(_ mapping: ConfigurationMapping) throws(ConfigurationError) {
        try Self.checkOnlyOne(mapping)
        if let node = mapping["basic_auth"] {
            let fields = try node.mapping(["username", "username_file", "password", "password_file"])
            self = .basic(
                username: try ConfiguredSecret(fields, "username", of: "basic_auth ") ?? .text(""),
                password: try ConfiguredSecret(fields, "password", of: "basic_auth ") ?? .text(""))
        } else if let node = mapping["authorization"] {
            let fields = try node.mapping(["type", "credentials", "credentials_file"])
            var scheme = try fields["type"]?.string ?? ""
            scheme = scheme.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            guard scheme.lowercased() != "basic" else {
                throw (fields["type"] ?? node).error("authorization type cannot be set to \"basic\", use basic_auth instead")
            }
            self = .credentials(
                scheme: scheme.isEmpty ? "Bearer" : scheme,
                try ConfiguredSecret(fields, "credentials", of: "authorization ") ?? .text(""))
        } else if let node = mapping["oauth2"] {
            self = .oauth2(try OAuth2Options(node))
        } else if let token = try ConfiguredSecret(mapping, "bearer_token", of: "") {
            self = .credentials(scheme: "Bearer", token)
        } else {
            self = .none
        }
    }

    private static func checkOnlyOne(_ mapping: ConfigurationMapping) throws(ConfigurationError) {
        let bearer = mapping["bearer_token"] ?? mapping["bearer_token_file"]
        if let bearer, mapping["basic_auth"] != nil || mapping["oauth2"] != nil {
            throw bearer.error("at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured")
        }
        if let bearer, mapping["authorization"] != nil {
            throw bearer.error("authorization is not compatible with bearer_token & bearer_token_file")
        }
        let ways = ["basic_auth", "oauth2", "authorization"].compactMap { mapping[$0] }
        guard ways.count <= 1 else {
            throw ways[1].error("at most one of basic_auth, oauth2 & authorization must be configured")
        }
    }
}

extension ConfiguredSecret {
    /// Reads `key` or `key_file`; nil where neither is there.
    init?(_ fields: ConfigurationMapping, _ key: String, of owner: String) throws(ConfigurationError) {
        let (inline, file) = (fields[key], fields[key + "_file"])
        if let file, inline != nil {
            throw file.error("at most one of \(owner)\(key) & \(key)_file must be configured")
        }
        if let inline {
            self = .text(try inline.string)
        } else if let file {
            self = .file(FileGlob.resolve(try file.nonEmptyString, relativeToFile: file.file))
        } else {
            return nil
        }
    }
}
