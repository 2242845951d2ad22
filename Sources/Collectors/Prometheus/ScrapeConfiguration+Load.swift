import Settings
import Telemetry

extension ScrapeConfiguration {
    private static let notActedOn =
        DiscoveryTable.keysNotActedOn + [
            "scrape_protocols", "fallback_scrape_protocol", "scrape_native_histograms", "scrape_classic_histograms",
            "always_scrape_classic_histograms", "convert_classic_histograms_to_nhcb", "native_histogram_bucket_limit",
            "native_histogram_min_bucket_factor", "keep_dropped_targets", "metric_name_validation_scheme",
            "metric_name_escaping_scheme",
            "scrape_failure_log_file", "extra_scrape_metrics",
        ]

    private static let actedOn =
        [
            "job_name", "honor_labels", "honor_timestamps", "track_timestamps_staleness", "params", "scrape_interval",
            "scrape_timeout",
            "metrics_path", "scheme", "enable_compression", "relabel_configs", "metric_relabel_configs",
        ] + ScrapeLimits.keys + HTTPClientOptions.keys + DiscoveryTable.keys

    init(
        _ node: ConfigurationNode, global: PrometheusConfiguration.Global, warnings: inout [ConfigurationWarning]
    ) throws(ConfigurationError) {
        let mapping = try node.mapping(Self.actedOn + Self.notActedOn)
        warnings += mapping.warnings(notActedOn: Self.notActedOn)
        jobName = try mapping.required("job_name").nonEmptyString
        interval = try mapping["scrape_interval"]?.duration ?? .zero
        if interval == .zero { interval = global.scrapeInterval }
        if let value = mapping["scrape_timeout"], try value.duration > .zero {
            timeout = try value.duration
            guard timeout <= interval else {
                throw value.error(
                    "scrape timeout greater than scrape interval for scrape config with job name \(jobName.debugDescription)"
                )
            }
        } else {
            timeout = min(global.scrapeTimeout, interval)
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
        for rule in try mapping["metric_relabel_configs"]?.list ?? [] {
            options.metricRelabelRules.append(try RelabelRule(rule))
        }
        for rule in try mapping["relabel_configs"]?.list ?? [] { relabelRules.append(try RelabelRule(rule)) }
        targetLimit = options.limits.targetCountMax

        discoveries = try DiscoveryTable.entries(mapping, warnings: &warnings)
    }
}
