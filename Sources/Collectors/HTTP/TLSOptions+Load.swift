package import Settings

extension TLSOptions {
    /// Reads a `tls_config`; refuses what Prometheus refuses (`TLSConfig.Validate`).
    package init(_ node: ConfigurationNode) throws(ConfigurationError) {
        self.init()
        let fields = try node.mapping([
            "ca", "ca_file", "cert", "cert_file", "key", "key_file", "server_name", "insecure_skip_verify", "min_version",
            "max_version",
        ])
        authority = try ConfiguredSecret(fields, "ca", of: "")
        certificate = try ConfiguredSecret(fields, "cert", of: "")
        key = try ConfiguredSecret(fields, "key", of: "")
        if certificate != nil, key == nil {
            throw node.error("exactly one of key or key_file must be configured when a client certificate is configured")
        }
        if key != nil, certificate == nil {
            throw node.error("exactly one of cert or cert_file must be configured when a client key is configured")
        }
        serverName = try fields["server_name"]?.string ?? ""
        skipsVerification = try fields["insecure_skip_verify"]?.bool ?? false
        versionMin = try Self.version(fields["min_version"])
        versionMax = try Self.version(fields["max_version"])
        if let versionMin, let versionMax, versionMax.rawValue < versionMin.rawValue {
            throw (fields["max_version"] ?? node).error(
                "max_version must be greater than or equal to min_version if both are specified")
        }
    }

    private static func version(_ node: ConfigurationNode?) throws(ConfigurationError) -> Version? {
        guard let node else { return nil }
        return Version(rawValue: try node.choice(Version.allCases.map(\.rawValue)))
    }
}
