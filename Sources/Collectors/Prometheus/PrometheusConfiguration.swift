package import Formats
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
        package var formats = ScrapeFormats.Defaults()
        /// Dropped targets shown of each job; 0: no limit.
        package var keptDroppedTargetCountMax = 0
        package var reportsExtraMetrics = false
        package var scrapeFailureLogFile: String?
        /// Where evaluated queries are written; nil: nowhere.
        package var queryLogFile: String?

        package init() {}
    }

    package var global = Global()
    package var scrapes: [ScrapeConfiguration] = []
    package var remoteWrites: [RemoteWriteConfiguration] = []
    /// The section `otlp`.
    package var otlp = OTLPMetricOptions()
    /// Globs, absolute or relative to the folder of the file.
    package var ruleFiles: [String] = []
    package var storage = Storage()
    /// Options that Prometheus acts on and Apus does not, each with its place.
    package var warnings: [ConfigurationWarning] = []
    /// The file it came from; relative paths in it start at its folder.
    package var file = ""
    /// What the file says, without secrets, for `/api/v1/status/config`.
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

    /// The same for a text; `file` is how errors call it, and where relative paths start.
    package static func parse(
        _ text: String, file: String, environment: [String: String] = [:]
    ) throws(ConfigurationError) -> PrometheusConfiguration {
        var result = PrometheusConfiguration()
        result.file = file
        let node = try ConfigurationNode.parse(text, file: file)
        let root = try node.mapping(topLevelKeys)
        result.text = root.pairs.isEmpty ? "" : node.yamlWithoutSecrets
        result.warnings += root.warnings(notActedOn: ["alerting", "remote_read"])
        if let global = root["global"] {
            result.global = try Global(global, environment: environment, warnings: &result.warnings)
        }
        for pattern in try root["rule_files"]?.list ?? [] { result.ruleFiles.append(try glob(pattern, "rule")) }
        if let node = root["remote_write"] { result.remoteWrites = try RemoteWriteConfiguration.list(node, warnings: &result.warnings) }
        if let node = root["otlp"] { result.otlp = try OTLPMetricOptions(node, allowsUTF8: result.global.formats.validation == .utf8) }
        try result.readScrapes(root)
        try result.readSections(root)
        return result
    }

    private static let topLevelKeys = [
        "global", "runtime", "alerting", "rule_files", "scrape_config_files", "scrape_configs", "storage", "tracing",
        "remote_write",
        "remote_read", "otlp",
    ]
}
