import Codecs
package import Settings
import Telemetry

extension OAuth2Options {
    private static let assertionGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

    private static let keys =
        [
            "client_id", "client_secret", "client_secret_file", "client_certificate_key", "client_certificate_key_file",
            "client_certificate_key_id", "grant_type", "signature_algorithm", "iss", "audience", "claims", "scopes", "token_url",
            "endpoint_params", "tls_config",
        ] + ProxyOptions.keys

    /// Reads an `oauth2`; refuses what Prometheus refuses.
    package init(_ node: ConfigurationNode) throws(ConfigurationError) {
        let fields = try node.mapping(Self.keys)
        clientID = try fields["client_id"]?.string ?? ""
        guard !clientID.isEmpty else { throw node.error("oauth2 client_id must be configured") }
        tokenURL = try fields["token_url"]?.string ?? ""
        guard !tokenURL.isEmpty else { throw node.error("oauth2 token_url must be configured") }
        guard URLParts(tokenURL) != nil else {
            throw (fields["token_url"] ?? node).error("\(tokenURL.debugDescription) is no URL: expected http://… or https://…")
        }
        if try fields["grant_type"]?.string == Self.assertionGrant {
            grant = .signedAssertion(try AssertionOptions(node, fields))
        } else {
            grant = .clientCredentials(secret: try ConfiguredSecret(fields, "client_secret", of: "oauth2 ") ?? .text(""))
        }
        scopes = try fields["scopes"]?.strings ?? []
        for (name, value) in try fields["endpoint_params"]?.stringPairs ?? [] {
            endpointParameters.append(Parameter(name: name, value: value))
        }
        endpointParameters.sort { $0.name.utf8Precedes($1.name) }
        if let node = fields["tls_config"] { tls = try TLSOptions(node) }
        proxy = try ProxyOptions(fields)
    }
}

extension OAuth2Options.AssertionOptions {
    fileprivate init(_ node: ConfigurationNode, _ fields: ConfigurationMapping) throws(ConfigurationError) {
        guard let key = try ConfiguredSecret(fields, "client_certificate_key", of: "oauth2 ") else {
            throw node.error("oauth2 client_certificate_key or client_certificate_key_file must be configured for this grant_type")
        }
        self.key = key
        keyID = try fields["client_certificate_key_id"]?.string ?? ""
        if let node = fields["signature_algorithm"] {
            algorithm = Algorithm(rawValue: try node.choice(Algorithm.allCases.map(\.rawValue))) ?? .rs256
        }
        issuer = try fields["iss"]?.string ?? ""
        audience = try fields["audience"]?.string ?? ""
        for (key, value) in try fields["claims"]?.pairs ?? [] {
            claims.append(Claim(name: try key.string, value: Self.json(value)))
        }
        claims.sort { $0.name.utf8Precedes($1.name) }
    }

    /// A value of YAML as JSON.
    private static func json(_ node: ConfigurationNode) -> String {
        var writer = JSONWriter(escapesHTML: false)
        write(node, to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func write(_ node: ConfigurationNode, to writer: inout JSONWriter) {
        switch node.content {
        case .null: writer.null()
        case .scalar("true"): writer.bool(true)
        case .scalar("false"): writer.bool(false)
        case .scalar(let text):
            if let number = Int64(text) { writer.integer(number) } else { writer.string(text) }
        case .list(let items):
            writer.beginArray()
            for item in items { write(item, to: &writer) }
            writer.endArray()
        case .mapping(let pairs):
            writer.beginObject()
            for (key, value) in pairs {
                guard case .scalar(let name) = key.content else { continue }
                writer.key(name)
                write(value, to: &writer)
            }
            writer.endObject()
        }
    }
}
