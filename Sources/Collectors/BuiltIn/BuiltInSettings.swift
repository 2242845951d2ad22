import Settings
import Telemetry

/// Settings that the host, containers and probes have in common.
enum BuiltInSettings {
    /// Once a second is as often as anything here changes in a way that somebody could see.
    private static let intervalMin = Duration.seconds(1)

    static func interval(_ node: ConfigurationNode) throws(ConfigurationError) -> Duration {
        let interval = try node.duration
        guard interval >= intervalMin else { throw node.unexpected("a duration of at least 1s") }
        return interval
    }

    /// Labels that win over `standard`; an empty value takes one away.
    static func labels(_ node: ConfigurationNode, over standard: Labels) throws(ConfigurationError) -> Labels {
        var labels = standard
        for (name, value) in try node.stringPairs { labels[name] = value }
        return labels
    }

    /// The expression of a key; nil where the key is absent, and a nil within where its expression is empty.
    static func pattern(_ key: String, _ mapping: ConfigurationMapping) throws(ConfigurationError) -> ExcludePattern?? {
        guard mapping.key(key) != nil else { return nil }
        guard let node = mapping[key] else { return .some(nil) }
        return .some(try ExcludePattern.load(node))
    }
}
