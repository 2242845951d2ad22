import Settings
import Telemetry

extension PromtailClient {
    private static let keys = [
        "name", "url", "batchwait", "batchsize", "headers", "backoff_config", "external_labels", "timeout", "tenant_id",
        "drop_rate_limited_batches",
    ]
    private static let notActedOn = ["stream_lag_labels"]

    init(_ node: ConfigurationNode, warnings: inout [ConfigurationWarning], needsURL: Bool = true) throws(ConfigurationError) {
        let mapping = try node.mapping(Self.keys + HTTPClientOptions.keys + Self.notActedOn)
        warnings += mapping.warnings(notActedOn: Self.notActedOn)
        if let value = needsURL ? try mapping.required("url") : mapping["url"] {
            url = try value.nonEmptyString
            guard url.hasPrefix("http://") || url.hasPrefix("https://") else { throw value.unexpected("a URL that begins with http:// or https://") }
        } else {
            url = ""
        }
        name = try mapping["name"]?.string ?? ""
        tenant = try mapping["tenant_id"]?.string ?? ""
        if let value = mapping["batchwait"] { batchWait = try value.goDuration }
        if let value = mapping["batchsize"] {
            batchByteCountMax = try value.int
            guard batchByteCountMax > 0 else { throw value.unexpected("a number of bytes greater than 0") }
        }
        for (name, value) in try mapping["headers"]?.stringPairs ?? [] { headers.append(Header(name: name, value: value)) }
        externalLabels = try PromtailJob.labels(mapping["external_labels"])
        if let value = mapping["timeout"] { timeout = try value.goDuration }
        if let backoff = mapping["backoff_config"] {
            let fields = try backoff.mapping(["min_period", "max_period", "max_retries"])
            if let value = fields["min_period"] { backoffMin = try value.goDuration }
            if let value = fields["max_period"] { backoffMax = try value.goDuration }
            if let value = fields["max_retries"] { retryCountMax = try value.int }
        }
        dropsRateLimitedBatches = try mapping["drop_rate_limited_batches"]?.bool ?? false
        http = try HTTPClientOptions(mapping)
    }
}

extension PromtailTLS {
    init(_ node: ConfigurationNode) throws(ConfigurationError) {
        self.init()
        let mapping = try node.mapping([
            "ca", "cert", "key", "ca_file", "cert_file", "key_file", "server_name", "insecure_skip_verify", "min_version", "max_version",
        ])
        func text(_ key: String) throws(ConfigurationError) -> String { try mapping[key]?.string ?? "" }
        func path(_ key: String) throws(ConfigurationError) -> String {
            guard let node = mapping[key] else { return "" }
            return FileGlob.resolve(try node.string, relativeToFile: node.file)
        }
        caFile = try path("ca_file")
        certificateFile = try path("cert_file")
        keyFile = try path("key_file")
        serverName = try text("server_name")
        skipsVerification = try mapping["insecure_skip_verify"]?.bool ?? false
        ca = try text("ca")
        certificate = try text("cert")
        key = try text("key")
    }
}
