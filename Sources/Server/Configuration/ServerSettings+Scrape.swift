import Collectors
import Settings
import Telemetry

extension ServerSettings {
    /// Reads `scrape_budget` and gives it to the jobs; takes from `prometheus.yml` what it says of storage and `apus.yaml` does not.
    mutating func readScrape(_ root: ConfigurationMapping) throws(ConfigurationError) {
        var budget = ScrapeBudget.standard
        if let node = root["scrape_budget"] {
            let mapping = try node.mapping(["target_series", "metric_series", "body_size"])
            budget.targetSeriesCountMax = try Self.limit(mapping["target_series"]) ?? budget.targetSeriesCountMax
            budget.metricSeriesCountMax = try Self.limit(mapping["metric_series"]) ?? budget.metricSeriesCountMax
            if let node = mapping["body_size"] { budget.bodyByteCountMax = try node.byteCount }
        }
        prometheus.apply(budget)
        if let time = prometheus.storage.retentionTime, try root["retention"]?.mapping(Signal.allCases.map(\.name))["metrics"] == nil {
            retention.metrics = time
        }
        if let byteCount = prometheus.storage.retentionByteCount, diskBudget[.metrics] == nil { diskBudget[.metrics] = byteCount }
    }

    /// A limit; 0 lifts it.
    private static func limit(_ node: ConfigurationNode?) throws(ConfigurationError) -> Int? {
        guard let node else { return nil }
        let value = try node.int
        guard value >= 0 else { throw node.unexpected("a number that is not negative; 0 means no limit") }
        return value
    }
}
