import Settings

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
    package var relabelRules: [RelabelRule] = []
    /// Where targets come from: `static_configs` and every `*_sd_configs`.
    package var discoveries: [DiscoveryEntry] = []

    package struct Parameter: Sendable, Hashable {
        package var name: String
        package var values: [String]
    }

    /// The targets that need no looking up.
    package var staticGroups: [TargetGroup] {
        discoveries.flatMap { ($0.configuration as? StaticDiscovery)?.groups ?? [] }
    }
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
        func count(_ key: String, _ inherited: Int) throws(ConfigurationError) -> Int {
            guard let node = mapping[key] else { return inherited }
            let value = try node.int
            guard value >= 0 else { throw node.error("\(node.name) must not be negative") }
            return value
        }
        bodyByteCountMax = try mapping["body_size_limit"]?.byteCount ?? defaults.bodyByteCountMax
        sampleCountMax = try count("sample_limit", defaults.sampleCountMax)
        targetCountMax = try count("target_limit", defaults.targetCountMax)
        labelCountMax = try count("label_limit", defaults.labelCountMax)
        labelNameByteCountMax = try count("label_name_length_limit", defaults.labelNameByteCountMax)
        labelValueByteCountMax = try count("label_value_length_limit", defaults.labelValueByteCountMax)
    }
}
