import Alerting
import Collectors
import Settings

/// Reads a configuration as the server would, without serving it.
package enum ConfigurationCheck {
    package struct Report: Sendable {
        package var warnings: [String]
        /// What was found, in words.
        package var summary: String
    }

    package static func run(_ options: ServeOptions) throws(ServeError) -> Report {
        if let report = try promtail(options) { return report }
        let settings = try options.settings()
        let prometheus = settings.prometheus
        let rules: (groups: [RuleGroup], warnings: [ConfigurationWarning])
        do {
            rules = try RuleManager.load(files: settings.ruleFiles)
        } catch {
            throw ServeError(.configuration, error.description)
        }
        let promtail = settings.logCollection.promtail
        let warnings = (prometheus.warnings + rules.warnings + (promtail?.warnings ?? [])).map(\.description)
        let ruleCount = rules.groups.reduce(0) { $0 + $1.rules.count }
        let summary =
            "\(prometheus.scrapes.count) scrape jobs, \(ruleCount) rules, \(settings.logs.count) log sources, \(settings.profiles.count) profile targets, "
            + "\(settings.tokens.count) tokens"
        return Report(warnings: warnings, summary: summary + (promtail.map { ", \($0.jobs.count) Promtail jobs" } ?? ""))
    }

    /// The report on a `promtail.yaml`; nil where the file is something else.
    private static func promtail(_ options: ServeOptions) throws(ServeError) -> Report? {
        guard let path = options.configurationFile else { return nil }
        do throws(ConfigurationError) {
            let text = try ConfigurationFile.text(path: path)
            // What cannot be read before variables are replaced may be read after it: the reader itself will say what is wrong.
            guard let root = try? ConfigurationNode.parse(text, file: path), PromtailConfiguration.isLikely(root) else { return nil }
            let configuration = try PromtailConfiguration.parse(text, file: path, environment: options.expandsEnvironment ? options.environment : nil)
            let stageCount = configuration.jobs.reduce(0) { $0 + $1.program.count }
            return Report(
                warnings: configuration.warnings.map(\.description),
                summary: "a promtail.yaml with \(configuration.jobs.count) jobs, \(stageCount) stages, \(configuration.clients.count) clients")
        } catch {
            throw ServeError(.configuration, error.description)
        }
    }
}
