import Settings
import Telemetry

extension PromtailFileDiscovery {
    init(_ node: ConfigurationNode) throws(ConfigurationError) {
        let mapping = try node.mapping(["files", "refresh_interval"])
        files = []
        for file in try mapping.required("files").list {
            let path = try file.nonEmptyString
            guard [".json", ".yml", ".yaml"].contains(where: { path.hasSuffix($0) }) else {
                throw file.error("\(path.debugDescription) must end in .json, .yml or .yaml")
            }
            files.append(FileGlob.resolve(path, relativeToFile: node.file))
        }
        guard !files.isEmpty else { throw node.error("files is empty") }
        refreshInterval = try mapping["refresh_interval"]?.goDuration ?? .seconds(300)
    }
}

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

extension PromtailKubernetesDiscovery {
    private static let roles = ["node", "service", "pod", "endpoints", "endpointslice", "ingress"]

    init(_ node: ConfigurationNode) throws(ConfigurationError) {
        let mapping = try node.mapping(
            ["api_server", "role", "kubeconfig_file", "namespaces", "selectors", "attach_metadata"] + HTTPClientOptions.keys)
        role = try mapping.required("role").choice(Self.roles)
        apiServer = try mapping["api_server"]?.string ?? ""
        kubeconfigFile = try mapping["kubeconfig_file"]?.string ?? ""
        if let value = mapping["namespaces"] {
            let fields = try value.mapping(["own_namespace", "names"])
            namespaces = try fields["names"]?.strings ?? []
            ownNamespace = try fields["own_namespace"]?.bool ?? false
        }
        for selector in try mapping["selectors"]?.list ?? [] {
            let fields = try selector.mapping(["role", "label", "field"])
            selectors.append(
                Selector(
                    role: try fields.required("role").choice(Self.roles), label: try fields["label"]?.string ?? "",
                    field: try fields["field"]?.string ?? ""))
        }
        attachesNodeMetadata = try mapping["attach_metadata"]?.mapping(["node"])["node"]?.bool ?? false
        http = try HTTPClientOptions(mapping)
    }
}

extension PromtailConsulDiscovery {
    init(_ node: ConfigurationNode, isAgent: Bool, warnings: inout [ConfigurationWarning]) throws(ConfigurationError) {
        let notActedOn = ["path_prefix", "filter", "health_filter"]
        let mapping = try node.mapping(
            [
                "server", "token", "datacenter", "namespace", "partition", "tag_separator", "scheme", "username", "password", "services",
                "tags", "node_meta", "allow_stale", "refresh_interval",
            ] + HTTPClientOptions.keys + notActedOn)
        warnings += mapping.warnings(notActedOn: notActedOn)
        self.isAgent = isAgent
        server = try mapping["server"]?.nonEmptyString ?? "localhost:8500"
        scheme = try mapping["scheme"]?.choice(["http", "https"]) ?? "http"
        token = try mapping["token"]?.string ?? ""
        datacenter = try mapping["datacenter"]?.string ?? ""
        namespace = try mapping["namespace"]?.string ?? ""
        partition = try mapping["partition"]?.string ?? ""
        services = try mapping["services"]?.strings ?? []
        tags = try mapping["tags"]?.strings ?? []
        nodeMetadata = try PromtailJob.labels(mapping["node_meta"])
        tagSeparator = try mapping["tag_separator"]?.string ?? ","
        allowsStale = try mapping["allow_stale"]?.bool ?? true
        if let value = mapping["refresh_interval"] { refreshInterval = try value.goDuration }
        http = try HTTPClientOptions(mapping)
        if let user = mapping["username"] {
            guard http.authorization == .none else { throw user.error("at most one of basic_auth, authorization and username must be configured") }
            http.authorization = .basic(username: .text(try user.string), password: .text(try mapping["password"]?.string ?? ""))
        }
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
