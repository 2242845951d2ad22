import Settings
import Telemetry

extension PromtailDockerDiscovery {
    init(_ node: ConfigurationNode) throws(ConfigurationError) {
        let mapping = try node.mapping(
            ["host", "port", "host_networking_host", "match_first_network", "filters", "refresh_interval"] + HTTPClientOptions.keys)
        host = try mapping.required("host").nonEmptyString
        port = try mapping["port"]?.int ?? 80
        hostNetworkingHost = try mapping["host_networking_host"]?.string ?? "localhost"
        matchesFirstNetwork = try mapping["match_first_network"]?.bool ?? true
        for filter in try mapping["filters"]?.list ?? [] {
            let fields = try filter.mapping(["name", "values"])
            filters.append(Filter(name: try fields.required("name").nonEmptyString, values: try fields["values"]?.strings ?? []))
        }
        if let value = mapping["refresh_interval"] { refreshInterval = try value.goDuration }
        http = try HTTPClientOptions(mapping)
    }
}

extension PromtailJournal {
    init(_ node: ConfigurationNode) throws(ConfigurationError) {
        let mapping = try node.mapping(["max_age", "json", "labels", "path", "matches"])
        if let value = mapping["max_age"] { maxAge = try value.goDuration }
        isJSON = try mapping["json"]?.bool ?? false
        labels = try PromtailJob.labels(mapping["labels"])
        path = try mapping["path"]?.string ?? ""
        if let value = mapping["matches"] {
            matches = try value.string.split(separator: " ").map { String($0) }
            for match in matches where !match.contains("=") {
                throw value.error("\(match.debugDescription) is no journal match: expected FIELD=value (`+` is not supported)")
            }
        }
    }
}

extension PromtailSyslog {
    init(_ node: ConfigurationNode) throws(ConfigurationError) {
        let mapping = try node.mapping([
            "listen_address", "listen_protocol", "idle_timeout", "label_structured_data", "labels", "use_incoming_timestamp",
            "use_rfc5424_message", "syslog_format", "max_message_length", "tls_config",
        ])
        listenAddress = try mapping.required("listen_address").nonEmptyString
        if let value = mapping["listen_protocol"] {
            transport = Transport(rawValue: try value.choice(Transport.allCases.map(\.rawValue))) ?? .tcp
        }
        if let value = mapping["idle_timeout"] { idleTimeout = try value.goDuration }
        labelsStructuredData = try mapping["label_structured_data"]?.bool ?? false
        labels = try PromtailJob.labels(mapping["labels"])
        usesIncomingTimestamp = try mapping["use_incoming_timestamp"]?.bool ?? false
        usesWholeMessage = try mapping["use_rfc5424_message"]?.bool ?? false
        if let value = mapping["syslog_format"] {
            // The reference shows a mapping with `type`; Promtail itself takes the word.
            let word: ConfigurationNode
            if case .mapping = value.content { word = try value.mapping(["type"]).required("type") } else { word = value }
            format = Format(rawValue: try word.choice(Format.allCases.map(\.rawValue))) ?? .rfc5424
        }
        if let value = mapping["max_message_length"], try value.int > 0 { messageByteCountMax = try value.int }
        if let value = mapping["tls_config"] {
            let tls = try PromtailTLS(value)
            guard transport == .tcp else { throw value.error("tls_config needs listen_protocol: tcp") }
            guard !(tls.certificateFile + tls.certificate).isEmpty, !(tls.keyFile + tls.key).isEmpty else {
                throw value.error("certificate and key files are required")
            }
            self.tls = tls
        }
    }
}

extension PromtailPush {
    init(_ node: ConfigurationNode, warnings: inout [ConfigurationWarning]) throws(ConfigurationError) {
        let mapping = try node.mapping(["server", "labels", "use_incoming_timestamp"])
        if let value = mapping["server"] { server = try PromtailServer(value, warnings: &warnings) }
        labels = try PromtailJob.labels(mapping["labels"])
        usesIncomingTimestamp = try mapping["use_incoming_timestamp"]?.bool ?? false
    }
}

extension PromtailDecompression {
    init(_ node: ConfigurationNode) throws(ConfigurationError) {
        let mapping = try node.mapping(["enabled", "initial_delay", "format"])
        isEnabled = try mapping["enabled"]?.bool ?? false
        if let value = mapping["initial_delay"] { initialDelay = try value.goDuration }
        if let value = mapping["format"], try !value.string.isEmpty {
            let name = try value.choice(Format.allCases.map(\.rawValue) + ["zstd", "gzip"])
            format = Format(rawValue: name) ?? (name == "gzip" ? .gz : .zst)
        }
    }
}
