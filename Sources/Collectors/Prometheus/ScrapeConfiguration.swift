import Settings
package import Telemetry

/// One entry of `scrape_configs`: a job's targets and how they are scraped.
package struct ScrapeConfiguration: Sendable, Hashable {
    package var jobName: String
    package var interval: Duration
    package var timeout: Duration
    package var metricsPath = "/metrics"
    package var scheme = "http"
    /// Query parameters by name, in order of name.
    package var parameters: [Parameter] = []
    /// What a scrape does, whichever target it is of.
    package var options = ScrapeOptions()
    package var targetLimit = 0
    /// Dropped targets shown; 0: no limit.
    package var keptDroppedTargetCountMax = 0
    /// The file it stands in.
    package var file = ""
    /// As it stands there, without secrets.
    package var yaml = ""
    /// Whether the configuration names protocols and extra metrics itself: features do not change these.
    var hasOwnProtocols = false
    var hasOwnExtraMetrics = false
    package var relabelRules: [RelabelRule] = []
    package var staticGroups: [TargetGroup] = []
    package var fileDiscoveries: [FileDiscovery] = []

    package struct Parameter: Sendable, Hashable {
        package var name: String
        package var values: [String]
    }
}

/// Targets that share labels: an entry of `static_configs` or of a discovered file.
package struct TargetGroup: Sendable, Hashable {
    package var targets: [String]
    package var labels: Labels

    package init(targets: [String], labels: Labels = .empty) {
        self.targets = targets
        self.labels = labels
    }
}

/// An entry of `file_sd_configs`: files that name targets, read again whenever they change.
package struct FileDiscovery: Sendable, Hashable {
    /// Globs, absolute.
    package var files: [String]
}

/// How the samples of a target are fetched and treated.
package struct ScrapeOptions: Sendable, Hashable {
    /// Labels of the target win over the sample's own unless this is set.
    package var honorLabels = false
    /// Timestamps in the exposition count unless this is unset.
    package var honorTimestamps = true
    /// Whether samples with timestamps of their own get staleness markers too.
    package var trackTimestampsStaleness = false
    package var enableCompression = true
    package var http = HTTPClientOptions()
    package var limits = ScrapeLimits()
    package var budget = ScrapeBudget.unlimited
    package var formats = ScrapeFormats()
    /// Add the series of ``ReportSeries/extraNames``.
    package var reportsExtraMetrics = false
    /// Where failed scrapes are written down; absolute.
    package var failureLogFile: String?
    package var metricRelabelRules: [RelabelRule] = []
}

/// The limits of a scrape; 0 means none. A scrape that exceeds one fails as a whole, as in Prometheus.
package struct ScrapeLimits: Sendable, Hashable {
    /// Bytes of the uncompressed body.
    package var bodyByteCountMax = 0
    /// Samples after metric relabelling.
    package var sampleCountMax = 0
    package var targetCountMax = 0
    package var labelCountMax = 0
    package var labelNameByteCountMax = 0
    package var labelValueByteCountMax = 0

    package init() {}

    static let keys = [
        "body_size_limit", "sample_limit", "target_limit", "label_limit", "label_name_length_limit",
        "label_value_length_limit",
    ]

    init(_ mapping: ConfigurationMapping, defaults: ScrapeLimits) throws(ConfigurationError) {
        // 0 does not lift a limit: Prometheus takes it for not set.
        func count(_ key: String, _ inherited: Int) throws(ConfigurationError) -> Int {
            let value = try mapping.count(key) ?? 0
            return value == 0 ? inherited : value
        }
        let ownByteCount = try mapping["body_size_limit"]?.byteCountWithUnit ?? 0
        bodyByteCountMax = ownByteCount == 0 ? defaults.bodyByteCountMax : ownByteCount
        sampleCountMax = try count("sample_limit", defaults.sampleCountMax)
        targetCountMax = try count("target_limit", defaults.targetCountMax)
        labelCountMax = try count("label_limit", defaults.labelCountMax)
        labelNameByteCountMax = try count("label_name_length_limit", defaults.labelNameByteCountMax)
        labelValueByteCountMax = try count("label_value_length_limit", defaults.labelValueByteCountMax)
    }
}
