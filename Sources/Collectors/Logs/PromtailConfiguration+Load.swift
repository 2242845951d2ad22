package import Settings
import Telemetry

extension PromtailConfiguration {
    private static let topLevelKeys = [
        "global", "server", "client", "clients", "positions", "scrape_configs", "target_config", "limits_config", "limit_config", "options",
        "tracing", "wal",
    ]

    /// Reads a `promtail.yaml`.
    ///
    /// - Parameter environment: what `${NAME}` stands for; nil: such text stays as it is, as without Promtail's
    ///   `-config.expand-env`.
    /// - Throws: the first thing in it that Promtail would refuse, with its place.
    package static func load(path: String, environment: [String: String]? = nil) throws(ConfigurationError) -> PromtailConfiguration {
        try parse(try ConfigurationFile.text(path: path), file: path, environment: environment)
    }

    package static func parse(
        _ text: String, file: String, environment: [String: String]? = nil
    ) throws(ConfigurationError) -> PromtailConfiguration {
        var result = PromtailConfiguration()
        result.file = file
        result.text = environment.map { PromtailEnvironment.expand(text, $0) } ?? text
        let root = try ConfigurationNode.parse(result.text, file: file).mapping(topLevelKeys)
        try result.readGeneral(root)
        try result.readClients(root)
        for node in try root["scrape_configs"]?.list ?? [] {
            let job = try PromtailJob(node, warnings: &result.warnings)
            guard !result.jobs.contains(where: { $0.name == job.name }) else {
                throw node.error("two scrape configurations have the job_name \(job.name.debugDescription): it must be unique")
            }
            result.jobs.append(job)
        }
        return result
    }

    /// Whether a file looks like a `promtail.yaml`: `apus check config` asks.
    package static func isLikely(_ root: ConfigurationNode) -> Bool {
        guard case .mapping(let pairs) = root.content else { return false }
        let names = Set(pairs.compactMap { pair in if case .scalar(let name) = pair.key.content { name } else { nil } })
        return !names.isDisjoint(with: ["clients", "client", "positions", "limits_config", "target_config"])
            || names.isSuperset(of: ["server", "scrape_configs"])
    }

    private mutating func readGeneral(_ root: ConfigurationMapping) throws(ConfigurationError) {
        warnings += root.warnings(notActedOn: ["tracing", "wal"])
        if let node = root["options"] { warnings += try node.mapping(["stream_lag_labels"]).warnings(notActedOn: ["stream_lag_labels"]) }
        if let node = root["global"], let watch = try node.mapping(["file_watch_config"])["file_watch_config"] {
            let mapping = try watch.mapping(["min_poll_frequency", "max_poll_frequency"])
            if let value = mapping["min_poll_frequency"] { pollPeriodMin = try value.goDuration }
            pollPeriodMax = try mapping["max_poll_frequency"]?.goDuration ?? pollPeriodMin
            guard pollPeriodMin > .zero, pollPeriodMin <= pollPeriodMax else {
                throw watch.error("min_poll_frequency must be longer than 0 and not longer than max_poll_frequency")
            }
        }
        if let node = root["server"] { server = try PromtailServer(node, warnings: &warnings) }
        if let node = root["positions"] {
            let mapping = try node.mapping(["filename", "sync_period", "ignore_invalid_yaml"])
            if let value = mapping["filename"] { positions.filename = try value.nonEmptyString }
            if let value = mapping["sync_period"] { positions.syncPeriod = try value.goDuration }
            positions.ignoresInvalidYAML = try mapping["ignore_invalid_yaml"]?.bool ?? false
        }
        if let node = root["target_config"] {
            let mapping = try node.mapping(["sync_period", "stdin"])
            if let value = mapping["sync_period"] { syncPeriod = try value.goDuration }
            warnings += mapping.warnings(notActedOn: ["stdin"])
        }
        if let node = root["limits_config"] ?? root["limit_config"] { try readLimits(node) }
    }

    private mutating func readLimits(_ node: ConfigurationNode) throws(ConfigurationError) {
        let mapping = try node.mapping([
            "readline_rate", "readline_burst", "readline_rate_enabled", "readline_rate_drop", "max_streams", "max_line_size",
            "max_line_size_truncate",
        ])
        let rate = try mapping["readline_rate"]?.double ?? 10_000
        if try mapping["readline_rate_enabled"]?.bool ?? false {
            guard rate > 0 else { throw node.error("readline_rate must be greater than 0") }
            limits.lineRate = rate
        }
        limits.lineBurst = try mapping["readline_burst"]?.int ?? 10_000
        limits.dropsOverRate = try mapping["readline_rate_drop"]?.bool ?? true
        limits.streamCountMax = try mapping["max_streams"]?.int ?? 0
        limits.lineByteCountMax = try mapping["max_line_size"]?.goByteCount ?? 0
        limits.cutsLongLines = try mapping["max_line_size_truncate"]?.bool ?? false
    }

    private mutating func readClients(_ root: ConfigurationMapping) throws(ConfigurationError) {
        for node in try root["clients"]?.list ?? [] { clients.append(try PromtailClient(node, warnings: &warnings)) }
        guard let node = root["client"] else { return }
        let common = try PromtailClient(node, warnings: &warnings, needsURL: false)
        if !common.url.isEmpty { clients.append(common) }
        // Labels of the old section are those of every client, which may have others under their names.
        for index in clients.indices {
            var labels = common.externalLabels
            for pair in clients[index].externalLabels.pairs { labels[pair.name] = pair.value }
            clients[index].externalLabels = labels
        }
    }
}

extension PromtailServer {
    private static let notActedOn = [
        "http_listen_network", "http_listen_conn_limit", "grpc_listen_network", "grpc_listen_address", "grpc_listen_conn_limit",
        "proxy_protocol_enabled", "tls_cipher_suites", "tls_min_version", "http_tls_config", "grpc_tls_config",
        "report_grpc_codes_in_instrumentation_label_enabled", "http_server_read_timeout", "http_server_read_header_timeout",
        "http_server_write_timeout", "http_server_idle_timeout", "http_log_closed_connections_without_response_enabled",
        "grpc_server_max_recv_msg_size", "grpc_server_max_send_msg_size", "grpc_server_max_concurrent_streams",
        "grpc_server_max_connection_idle", "grpc_server_max_connection_age", "grpc_server_max_connection_age_grace",
        "grpc_server_keepalive_time", "grpc_server_keepalive_timeout", "grpc_server_min_time_between_pings",
        "grpc_server_ping_without_stream_allowed", "grpc_server_num_workers", "log_source_ips_enabled", "log_source_ips_full",
        "log_source_ips_header", "log_source_ips_regex", "log_request_headers", "log_request_at_info_level_enabled",
        "log_request_exclude_headers_list", "profiling_enabled",
    ]

    /// Reads `server`, or the server of a `loki_push_api`.
    init(_ node: ConfigurationNode, warnings: inout [ConfigurationWarning]) throws(ConfigurationError) {
        self.init()
        let mapping = try node.mapping(
            [
                "disable", "http_listen_address", "http_listen_port", "grpc_listen_port", "http_path_prefix", "external_url", "log_level",
                "log_format", "graceful_shutdown_timeout", "health_check_target", "enable_runtime_reload", "register_instrumentation",
            ] + Self.notActedOn)
        warnings += mapping.warnings(notActedOn: Self.notActedOn)
        isDisabled = try mapping["disable"]?.bool ?? false
        host = try mapping["http_listen_address"]?.string ?? ""
        port = try mapping["http_listen_port"]?.int ?? 80
        if let node = mapping["http_listen_port"], !(0...65_535).contains(port) { throw node.unexpected("a port from 0 to 65535") }
        let prefix = try mapping["http_path_prefix"]?.string ?? ""
        let trimmed = prefix.split(separator: "/").joined(separator: "/")
        pathPrefix = trimmed.isEmpty ? "" : "/" + trimmed
        externalURL = try mapping["external_url"]?.string ?? ""
        if let value = mapping["log_level"] { logLevel = try value.choice(["debug", "info", "warn", "error"]) }
        if let value = mapping["log_format"] { logFormat = try value.choice(["logfmt", "json"]) }
        if let value = mapping["graceful_shutdown_timeout"] { gracefulShutdownTimeout = try value.goDuration }
        checksTargets = try mapping["health_check_target"]?.bool ?? true
        isReloadEnabled = try mapping["enable_runtime_reload"]?.bool ?? false
    }
}
