import Settings
import Telemetry

extension ScrapeConfiguration {
    private static let discoveries = [
        "azure", "consul", "digitalocean", "dns", "docker", "dockerswarm", "ec2", "eureka", "gce", "hetzner", "http",
        "ionos", "kubernetes",
        "kuma", "lightsail", "linode", "marathon", "nerve", "nomad", "openstack", "ovhcloud", "puppetdb", "scaleway",
        "serverset", "stackit",
        "triton", "uyuni", "vultr",
    ].map { $0 + "_sd_configs" }

    private static let notActedOn = discoveries

    private static let actedOn =
        [
            "job_name", "honor_labels", "honor_timestamps", "track_timestamps_staleness", "params", "scrape_interval",
            "scrape_timeout",
            "metrics_path", "scheme", "enable_compression", "static_configs", "file_sd_configs", "relabel_configs", "metric_relabel_configs",
            "keep_dropped_targets", "scrape_failure_log_file", "extra_scrape_metrics",
        ] + ScrapeLimits.keys + ScrapeFormats.keys + HTTPClientOptions.keys

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

        for group in try mapping["static_configs"]?.list ?? [] {
            // Rules may make an address of what is none: the blackbox exporter's targets are URLs.
            staticGroups.append(try TargetGroup(group, mustBeAddresses: relabelRules.isEmpty))
        }
        for discovery in try mapping["file_sd_configs"]?.list ?? [] {
            let fields = try discovery.mapping(["files", "refresh_interval"])
            guard let list = try fields.required("files").list.nilIfEmpty else {
                throw discovery.error("files is empty")
            }
            var files: [String] = []
            for file in list {
                let path = try file.nonEmptyString
                guard [".json", ".yml", ".yaml"].contains(where: { path.hasSuffix($0) }) else {
                    throw file.error("\(path.debugDescription) must end in .json, .yml or .yaml")
                }
                files.append(FileGlob.resolve(path, relativeToFile: node.file))
            }
            fileDiscoveries.append(FileDiscovery(files: files))
        }
    }
}

extension TargetGroup {
    /// An entry of `static_configs`, or of a file that `file_sd_configs` names.
    init(_ node: ConfigurationNode, mustBeAddresses: Bool = false) throws(ConfigurationError) {
        guard !node.isNull else { throw node.error("empty or null section in static_configs") }
        let mapping = try node.mapping(["targets", "labels"])
        targets = []
        for target in try mapping["targets"]?.list ?? [] {
            let address = try target.nonEmptyString
            guard !mustBeAddresses || !address.contains("/") else {
                throw target.error(
                    "\(address.debugDescription) is not a valid hostname: expected host:port without scheme or path")
            }
            targets.append(address)
        }
        var labels: [Label] = []
        for (key, value) in try mapping["labels"]?.pairs ?? [] {
            labels.append(Label(try key.nonEmptyString, try value.string))
        }
        self.labels = Labels(labels)
    }
}

extension Array {
    fileprivate var nilIfEmpty: [Element]? { isEmpty ? nil : self }
}
