import Settings
import Telemetry

extension PrometheusConfiguration.Global {
    init(
        _ node: ConfigurationNode, environment: [String: String], warnings: inout [ConfigurationWarning]
    ) throws(ConfigurationError) {
        self.init()
        let mapping = try node.mapping(
            [
                "scrape_interval", "scrape_timeout", "evaluation_interval", "rule_query_offset", "external_labels", "keep_dropped_targets",
                "scrape_failure_log_file", "extra_scrape_metrics", "query_log_file",
            ] + ScrapeLimits.keys + ScrapeFormats.globalKeys)
        if let value = try mapping["scrape_interval"]?.duration, value > .zero { scrapeInterval = value }
        scrapeTimeout = min(scrapeTimeout, scrapeInterval)
        if let node = mapping["scrape_timeout"], try node.duration > .zero {
            scrapeTimeout = try node.duration
            guard scrapeTimeout <= scrapeInterval else {
                throw node.error("global scrape timeout greater than scrape interval")
            }
        }
        if let value = try mapping["evaluation_interval"]?.duration, value > .zero { evaluationInterval = value }
        ruleQueryOffset = try mapping["rule_query_offset"]?.duration ?? .zero
        limits = try ScrapeLimits(mapping, defaults: ScrapeLimits())
        formats = try ScrapeFormats.Defaults(mapping)
        keptDroppedTargetCountMax = try mapping.count("keep_dropped_targets") ?? 0
        reportsExtraMetrics = try mapping["extra_scrape_metrics"]?.bool ?? false
        scrapeFailureLogFile = try mapping["scrape_failure_log_file"].flatMap { node throws(ConfigurationError) in try node.filePath }
        queryLogFile = try mapping["query_log_file"].flatMap { node throws(ConfigurationError) in try node.filePath }
        externalLabels = try labels(mapping["external_labels"], environment: environment, warnings: &warnings)
    }

    private func labels(
        _ node: ConfigurationNode?, environment: [String: String], warnings: inout [ConfigurationWarning]
    ) throws(ConfigurationError) -> Labels {
        var labels: [Label] = []
        for (key, value) in try node?.pairs ?? [] {
            let name = try key.nonEmptyString
            guard name != Labels.metricName else { throw key.error("\(name) is no legal name of an external label") }
            guard formats.validation.isLabelName(name) else { throw key.error("\(name.debugDescription) is not a valid label name") }
            let expansion = EnvironmentText.expand(try value.string, environment)
            for missing in expansion.missing { warnings.append(value.warning("the environment variable \(missing) is empty or not set")) }
            labels.append(Label(name, expansion.text))
        }
        return Labels(labels)
    }
}

/// `$NAME` and `${NAME}` in external labels (Go's `os.Expand`); `$$` is a dollar sign.
enum EnvironmentText {
    static func expand(_ text: String, _ environment: [String: String]) -> (text: String, missing: [String]) {
        var result = ""
        var missing: [String] = []
        func value(_ name: some StringProtocol) -> String {
            let value = environment[String(name)] ?? ""
            if value.isEmpty { missing.append(String(name)) }
            return value
        }
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                result += "$"
                rest = rest.dropFirst()
            } else if rest.first == "{", let end = rest.firstIndex(of: "}") {
                let name = rest[rest.index(after: rest.startIndex)..<end]
                result += name == "$" ? "$" : value(name)
                rest = rest[rest.index(after: end)...]
            } else {
                let name = rest.prefix { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
                result += name.isEmpty ? "$" : value(name)
                rest = rest.dropFirst(name.count)
            }
        }
        return (result + rest, missing)
    }
}

extension ConfigurationMapping {
    /// A whole number that is not negative.
    func count(_ key: String) throws(ConfigurationError) -> Int? {
        guard let node = self[key] else { return nil }
        let value = try node.int
        guard value >= 0 else { throw node.error("\(node.name) must not be negative") }
        return value
    }
}

extension ConfigurationNode {
    /// A number of bytes as Prometheus reads it: with a unit, unless it is 0.
    var byteCountWithUnit: Int {
        get throws(ConfigurationError) {
            let value = try byteCount
            if value != 0, try string.allSatisfy({ ("0"..."9").contains($0) }) {
                throw error("\(name): missing unit in \(try string): write \(value)B")
            }
            return value
        }
    }

    /// A path, which starts at the folder of the file it stands in; nil where it is empty.
    var filePath: String? {
        get throws(ConfigurationError) {
            let path = try string
            return path.isEmpty ? nil : FileGlob.resolve(path, relativeToFile: file)
        }
    }
}
