import Crypto
import Settings
import Telemetry

extension RemoteWriteConfiguration {
    /// Named in a warning: requests are sent without them.
    private static let notActedOn = ["sigv4", "azuread", "google_iam", "round_robin_dns", "failed_request_logging"]

    private static let actedOn =
        [
            "url", "name", "remote_timeout", "headers", "write_relabel_configs", "send_exemplars", "send_native_histograms", "protobuf_message",
            "queue_config", "metadata_config",
        ] + HTTPClientOptions.keys

    /// Headers that the protocol sets (Prometheus, config.go, `reservedHeaders`).
    private static let reservedHeaders: Set<String> = [
        "authorization", "host", "content-encoding", "content-length", "content-type", "x-prometheus-remote-write-version",
        "x-prometheus-remote-read-version", "user-agent", "connection", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "www-authenticate", "accept-encoding", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256",
    ]

    /// Reads the entries of `remote_write`.
    static func list(
        _ node: ConfigurationNode, warnings: inout [ConfigurationWarning]
    ) throws(ConfigurationError) -> [RemoteWriteConfiguration] {
        var remotes: [RemoteWriteConfiguration] = []
        for entry in try node.list {
            let mapping = try entry.mapping(actedOn + notActedOn)
            warnings += mapping.warnings(notActedOn: notActedOn)
            var remote = try RemoteWriteConfiguration(mapping)
            let isNamed = !remote.name.isEmpty
            if !isNamed { remote.name = shortHash(remote.url) }
            while remotes.contains(where: { $0.name == remote.name }) {
                guard !isNamed else {
                    throw entry.error("found multiple remote write configs with job name \(remote.name.debugDescription): it must be unique")
                }
                // Two entries with one URL: their order tells them apart.
                remote.name += "-2"
            }
            remotes.append(remote)
        }
        return remotes
    }

    private init(_ mapping: ConfigurationMapping) throws(ConfigurationError) {
        let urlNode = try mapping.required("url")
        let url = try urlNode.nonEmptyString
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else { throw urlNode.unexpected("a URL that begins with http:// or https://") }
        self.init(name: try mapping["name"]?.string ?? "", url: url)
        if let value = mapping["remote_timeout"] { timeout = try value.duration }
        for (key, value) in try mapping["headers"]?.pairs ?? [] {
            let name = try key.nonEmptyString
            guard !Self.reservedHeaders.contains(name.lowercased()) else {
                throw key.error("\(name) is a reserved header. It must not be changed")
            }
            headers.append(Header(name: name, value: try value.string))
        }
        for rule in try mapping["write_relabel_configs"]?.list ?? [] { relabelRules.append(try RelabelRule(rule)) }
        sendsExemplars = try mapping["send_exemplars"]?.bool ?? false
        sendsNativeHistograms = try mapping["send_native_histograms"]?.bool ?? false
        if let node = mapping["protobuf_message"] {
            message = Message(rawValue: try node.choice(Message.allCases.map(\.rawValue))) ?? .v1
        }
        if let node = mapping["queue_config"] { queue = try Queue(node) }
        if let node = mapping["metadata_config"] { metadata = try Metadata(node) }
        http = try HTTPClientOptions(mapping)
    }

    /// Six hexadecimal digits, as Prometheus names remotes without a name.
    private static func shortHash(_ text: String) -> String {
        let digits = Array("0123456789abcdef")
        return String(Insecure.MD5.hash(data: Array(text.utf8)).prefix(3).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}

extension RemoteWriteConfiguration.Queue {
    fileprivate init(_ node: ConfigurationNode) throws(ConfigurationError) {
        self.init()
        let mapping = try node.mapping([
            "capacity", "max_shards", "min_shards", "max_samples_per_send", "batch_send_deadline", "min_backoff", "max_backoff",
            "retry_on_http_429", "sample_age_limit",
        ])
        func count(_ key: String, _ standard: Int) throws(ConfigurationError) -> Int {
            guard let node = mapping[key] else { return standard }
            let value = try node.int
            guard value > 0 else { throw node.unexpected("a number greater than 0") }
            return value
        }
        capacity = try count("capacity", capacity)
        shardCountMax = try count("max_shards", shardCountMax)
        shardCountMin = try count("min_shards", shardCountMin)
        guard shardCountMin <= shardCountMax else { throw node.error("min_shards is greater than max_shards") }
        sampleCountPerSendMax = try count("max_samples_per_send", sampleCountPerSendMax)
        batchSendDeadline = try mapping["batch_send_deadline"]?.duration ?? batchSendDeadline
        backoffMin = try mapping["min_backoff"]?.duration ?? backoffMin
        backoffMax = try mapping["max_backoff"]?.duration ?? backoffMax
        guard backoffMin <= backoffMax else { throw node.error("remote write queue max_backoff must not be less than min_backoff") }
        retriesOnTooManyRequests = try mapping["retry_on_http_429"]?.bool ?? false
        sampleAgeLimit = try mapping["sample_age_limit"]?.duration ?? .zero
    }
}

extension RemoteWriteConfiguration.Metadata {
    fileprivate init(_ node: ConfigurationNode) throws(ConfigurationError) {
        self.init()
        let mapping = try node.mapping(["send", "send_interval", "max_samples_per_send"])
        isSent = try mapping["send"]?.bool ?? true
        if let value = mapping["send_interval"] {
            interval = try value.duration
            guard interval > .zero else { throw value.unexpected("a duration longer than 0") }
        }
        if let value = mapping["max_samples_per_send"] {
            countPerSendMax = try value.int
            guard countPerSendMax > 0 else { throw value.unexpected("a number greater than 0") }
        }
    }
}
