import Settings
import Telemetry

extension ScrapeConfiguration {
    private static let notActedOn = DiscoveryTable.keysNotActedOn

    private static let actedOn =
        [
            "job_name", "honor_labels", "honor_timestamps", "track_timestamps_staleness", "params", "scrape_interval",
            "scrape_timeout",
            "metrics_path", "scheme", "enable_compression", "relabel_configs", "metric_relabel_configs", "keep_dropped_targets",
            "scrape_failure_log_file", "extra_scrape_metrics",
        ] + ScrapeLimits.keys + ScrapeFormats.keys + HTTPClientOptions.keys + DiscoveryTable.keys

    init(
        _ node: ConfigurationNode, global: PrometheusConfiguration.Global, warnings: inout [ConfigurationWarning]
    ) throws(ConfigurationError) {
        let mapping = try node.mapping(Self.actedOn + Self.notActedOn)
        warnings += mapping.warnings(notActedOn: Self.notActedOn)
        jobName = try mapping.required("job_name").nonEmptyString
        file = node.file
        yaml = node.yamlWithoutSecrets
        interval = try mapping["scrape_interval"]?.duration ?? .zero
        if interval == .zero { interval = global.scrapeInterval }
        timeout = min(global.scrapeTimeout, interval)
        if let value = mapping["scrape_timeout"], try value.duration > .zero {
            timeout = try value.duration
            guard timeout <= interval else {
                throw value.error(
                    "scrape timeout greater than scrape interval for scrape config with job name \(jobName.debugDescription)"
                )
            }
        }
        if let value = mapping["metrics_path"] { metricsPath = try value.nonEmptyString }
        if let value = mapping["scheme"] { scheme = try value.choice(["http", "https"]) }
        for (key, values) in try mapping["params"]?.pairs ?? [] {
            parameters.append(Parameter(name: try key.string, values: try values.strings))
        }
        parameters.sort { $0.name.utf8Precedes($1.name) }

        options.honorLabels = try mapping["honor_labels"]?.bool ?? false
        options.honorTimestamps = try mapping["honor_timestamps"]?.bool ?? true
        options.trackTimestampsStaleness = try mapping["track_timestamps_staleness"]?.bool ?? false
        options.enableCompression = try mapping["enable_compression"]?.bool ?? true
        options.http = try HTTPClientOptions(mapping)
        options.limits = try ScrapeLimits(mapping, defaults: global.limits)
        options.formats = try ScrapeFormats(mapping, defaults: global.formats, warnings: &warnings)
        hasOwnProtocols = mapping["scrape_protocols"] != nil || global.formats.protocols != nil
        options.reportsExtraMetrics = try mapping["extra_scrape_metrics"]?.bool ?? global.reportsExtraMetrics
        hasOwnExtraMetrics = mapping["extra_scrape_metrics"] != nil
        options.failureLogFile = try mapping["scrape_failure_log_file"]?.filePath ?? global.scrapeFailureLogFile
        let kept = try mapping.count("keep_dropped_targets") ?? 0
        keptDroppedTargetCountMax = kept > 0 ? kept : global.keptDroppedTargetCountMax
        let validation = options.formats.validation
        for rule in try mapping["metric_relabel_configs"]?.list ?? [] {
            options.metricRelabelRules.append(try RelabelRule(rule, validation: validation))
        }
        for rule in try mapping["relabel_configs"]?.list ?? [] { relabelRules.append(try RelabelRule(rule, validation: validation)) }
        targetLimit = options.limits.targetCountMax

        if relabelRules.isEmpty { try Self.checkAddresses(mapping) }
        discoveries = try DiscoveryTable.entries(mapping, warnings: &warnings)
    }

    /// Refuses static targets that are no addresses, where no rule may make one of them: the blackbox exporter's are URLs.
    private static func checkAddresses(_ mapping: ConfigurationMapping) throws(ConfigurationError) {
        for group in try mapping["static_configs"]?.list ?? [] {
            for target in try group.mapping(["targets", "labels"])["targets"]?.list ?? [] {
                let address = try target.nonEmptyString
                guard !address.contains("/") else {
                    throw target.error("\(address.debugDescription) is not a valid hostname: expected host:port without scheme or path")
                }
            }
        }
    }
}
