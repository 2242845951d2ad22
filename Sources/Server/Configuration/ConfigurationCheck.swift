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
        let settings = try options.settings()
        let prometheus = settings.prometheus
        let rules: (groups: [RuleGroup], warnings: [ConfigurationWarning])
        do {
            rules = try RuleManager.load(files: settings.ruleFiles)
        } catch {
            throw ServeError(.configuration, error.description)
        }
        let warnings = (prometheus.warnings + settings.builtIn.probes.warnings + rules.warnings).map(\.description)
        let ruleCount = rules.groups.reduce(0) { $0 + $1.rules.count }
        let summary =
            "\(prometheus.scrapes.count) scrape jobs, \(ruleCount) rules, \(settings.logs.count) log sources, \(settings.profiles.count) profile targets, "
            + "\(settings.tokens.count) tokens"
        return Report(warnings: warnings, summary: summary)
    }
}
