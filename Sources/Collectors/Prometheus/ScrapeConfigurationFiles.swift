import Formats
import Settings

extension PrometheusConfiguration {
    /// Reads the jobs of `scrape_configs` and of the files that `scrape_config_files` names.
    mutating func readScrapes(_ root: ConfigurationMapping) throws(ConfigurationError) {
        for node in try root["scrape_configs"]?.list ?? [] { try add(node) }
        for pattern in try root["scrape_config_files"]?.list ?? [] {
            let text = try Self.glob(pattern, "scrape config")
            for path in FileGlob.files(FileGlob.resolve(text, relativeToFile: file)) {
                let mapping = try ConfigurationNode.load(path: path).mapping(["scrape_configs"])
                for node in try mapping["scrape_configs"]?.list ?? [] { try add(node) }
            }
        }
    }

    /// A pattern of files, whose only star may stand in its last part, as Prometheus has it.
    static func glob(_ node: ConfigurationNode, _ what: String) throws(ConfigurationError) -> String {
        let text = try node.string
        if let star = text.firstIndex(of: "*"), text[text.index(after: star)...].contains(where: { $0 == "/" || $0 == "*" }) {
            throw node.error(
                "invalid \(what) file path \(text.debugDescription): one * may stand in it, and no folder behind that")
        }
        return text
    }

    private mutating func add(_ node: ConfigurationNode) throws(ConfigurationError) {
        guard !node.isNull else { throw node.error("empty or null scrape config section") }
        let scrape = try ScrapeConfiguration(node, global: global, warnings: &warnings)
        if let first = scrapes.first(where: { $0.jobName == scrape.jobName }) {
            let place = first.file == file ? "" : ", first found in \(first.file)"
            throw node.error(
                "two scrape configurations have the job_name \(scrape.jobName.debugDescription)\(place): it must be unique")
        }
        scrapes.append(scrape)
    }

    // MARK: What others say of scrapes

    /// Turns parts on that Prometheus has behind `--enable-feature`.
    package mutating func enable(features: [String]) {
        let names = Set(features.compactMap { ScrapeFeature(rawValue: $0) })
        for index in scrapes.indices {
            if !names.isDisjoint(with: [.startTimeZeroIngestion, .startTimeStorage]) {
                if !scrapes[index].hasOwnProtocols { scrapes[index].options.formats.protocols = ScrapeProtocol.protobufFirst }
                scrapes[index].options.formats.startTimes = names.contains(.startTimeZeroIngestion) ? .injected : .recorded
            }
            if names.contains(.extraScrapeMetrics), !scrapes[index].hasOwnExtraMetrics { scrapes[index].options.reportsExtraMetrics = true }
        }
    }

    /// Sets how much each target may bring.
    package mutating func apply(_ budget: ScrapeBudget) {
        for index in scrapes.indices {
            scrapes[index].options.budget = budget
            if scrapes[index].options.limits.bodyByteCountMax == 0 { scrapes[index].options.limits.bodyByteCountMax = budget.bodyByteCountMax }
        }
    }
}

/// Parts of scraping that Prometheus has behind `--enable-feature`, by their names there.
package enum ScrapeFeature: String, Sendable, Hashable, CaseIterable {
    case startTimeZeroIngestion = "created-timestamp-zero-ingestion"
    case startTimeStorage = "st-storage"
    case extraScrapeMetrics = "extra-scrape-metrics"
}
