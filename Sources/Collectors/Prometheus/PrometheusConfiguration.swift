package import Settings
package import Telemetry

/// A `prometheus.yml`, as Prometheus reads it.
package struct PrometheusConfiguration: Sendable {
    /// The section `global`: what holds where a scrape configuration says nothing else.
    package struct Global: Sendable, Hashable {
        package var scrapeInterval: Duration = .seconds(60)
        package var scrapeTimeout: Duration = .seconds(10)
        package var evaluationInterval: Duration = .seconds(60)
        package var ruleQueryOffset: Duration = .zero
        /// Added to what leaves this server: notifications and remote write.
        package var externalLabels: Labels = .empty
        package var limits = ScrapeLimits()

        package init() {}
    }

    package var global = Global()
    package var scrapes: [ScrapeConfiguration] = []
    /// Globs, absolute or relative to the folder of the file.
    package var ruleFiles: [String] = []
    /// Options that Prometheus acts on and Apus does not, each with its place.
    package var warnings: [ConfigurationWarning] = []
    /// The file it came from; relative paths in it start at its folder.
    package var file = ""
    /// The text of the file, for `/api/v1/status/config`: without its secrets.
    package var text = ""

    package init() {}

    /// Reads a `prometheus.yml`.
    ///
    /// - Parameter environment: what `${NAME}` in `external_labels` stands for.
    /// - Throws: the first thing in it that Prometheus would refuse, with its place.
    package static func load(
        path: String, environment: [String: String] = [:]
    ) throws(ConfigurationError) -> PrometheusConfiguration {
        try parse(try ConfigurationFile.text(path: path), file: path, environment: environment)
    }

    package static func parse(
        _ text: String, file: String, environment: [String: String] = [:]
    ) throws(ConfigurationError) -> PrometheusConfiguration {
        var result = PrometheusConfiguration()
        result.file = file
        let document = try ConfigurationNode.parse(text, file: file)
        result.text = SecretRedaction.redact(text, document)
        let root = try document.mapping(topLevelKeys)
        result.warnings += root.warnings(
            notActedOn: [
                "runtime", "alerting", "scrape_config_files", "storage", "tracing", "remote_write", "remote_read",
                "otlp",
            ])
        if let global = root["global"] {
            result.global = try Global(global, environment: environment, warnings: &result.warnings)
        }
        result.ruleFiles = try root["rule_files"]?.strings ?? []
        for node in try root["scrape_configs"]?.list ?? [] {
            let scrape = try ScrapeConfiguration(node, global: result.global, warnings: &result.warnings)
            guard !result.scrapes.contains(where: { $0.jobName == scrape.jobName }) else {
                throw node.error(
                    "two scrape configurations have the job_name \(scrape.jobName.debugDescription): it must be unique")
            }
            result.scrapes.append(scrape)
        }
        return result
    }

    private static let topLevelKeys = [
        "global", "runtime", "alerting", "rule_files", "scrape_config_files", "scrape_configs", "storage", "tracing",
        "remote_write",
        "remote_read", "otlp",
    ]
}

extension PrometheusConfiguration.Global {
    init(
        _ node: ConfigurationNode, environment: [String: String], warnings: inout [ConfigurationWarning]
    ) throws(ConfigurationError) {
        self.init()
        let notActedOn = [
            "query_log_file", "scrape_failure_log_file", "scrape_protocols", "keep_dropped_targets",
            "metric_name_validation_scheme",
            "metric_name_escaping_scheme", "convert_classic_histograms_to_nhcb", "always_scrape_classic_histograms",
            "scrape_native_histograms", "extra_scrape_metrics",
        ]
        let mapping = try node.mapping(
            ["scrape_interval", "scrape_timeout", "evaluation_interval", "rule_query_offset", "external_labels"]
                + ScrapeLimits.keys + notActedOn)
        warnings += mapping.warnings(notActedOn: notActedOn)
        if let value = try mapping["scrape_interval"]?.duration, value > .zero { scrapeInterval = value }
        if let value = mapping["scrape_timeout"] {
            scrapeTimeout = try value.duration
            guard scrapeTimeout <= scrapeInterval else {
                throw value.error("global scrape timeout greater than scrape interval")
            }
        } else {
            scrapeTimeout = min(scrapeTimeout, scrapeInterval)
        }
        if let value = try mapping["evaluation_interval"]?.duration, value > .zero { evaluationInterval = value }
        ruleQueryOffset = try mapping["rule_query_offset"]?.duration ?? .zero
        limits = try ScrapeLimits(mapping, defaults: ScrapeLimits())
        var labels: [Label] = []
        for (key, value) in try mapping["external_labels"]?.pairs ?? [] {
            let name = try key.nonEmptyString
            guard name != Labels.metricName else { throw key.error("\(name) is no legal name of an external label") }
            labels.append(Label(name, EnvironmentText.expand(try value.string, environment)))
        }
        externalLabels = Labels(labels)
    }
}

/// `$NAME` and `${NAME}` in external labels (Go's `os.Expand`); `$$` is a dollar sign.
enum EnvironmentText {
    static func expand(_ text: String, _ environment: [String: String]) -> String {
        var result = ""
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                result += "$"
                rest = rest.dropFirst()
            } else if rest.first == "{", let end = rest.firstIndex(of: "}") {
                result += environment[String(rest[rest.index(after: rest.startIndex)..<end])] ?? ""
                rest = rest[rest.index(after: end)...]
            } else {
                let name = rest.prefix { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
                result += name.isEmpty ? "$" : environment[String(name)] ?? ""
                rest = rest.dropFirst(name.count)
            }
        }
        return result + rest
    }
}
