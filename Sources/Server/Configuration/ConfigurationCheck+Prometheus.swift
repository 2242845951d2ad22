import Collectors
import Settings

extension ConfigurationCheck {
    /// The settings of the file that `options` name; a `prometheus.yml` may be named itself, as for `promtool check config`.
    static func settings(_ options: ServeOptions) throws(ServeError) -> ServerSettings {
        guard let path = options.configurationFile, try isPrometheus(path) else { return try options.settings() }
        var settings = ServerSettings()
        do throws(ConfigurationError) {
            settings.prometheusFile = path
            settings.prometheus = try PrometheusConfiguration.load(path: path, environment: options.environment)
        } catch {
            throw ServeError(.configuration, error.description)
        }
        return settings
    }

    /// Whether a file has keys that a `prometheus.yml` has and an `apus.yaml` has not.
    private static func isPrometheus(_ path: String) throws(ServeError) -> Bool {
        let keys: [String?]
        do throws(ConfigurationError) {
            keys = try ConfigurationNode.load(path: path).pairs.map { try? $0.key.string }
        } catch {
            throw ServeError(.configuration, error.description)
        }
        return keys.contains { key in
            ["global", "scrape_configs", "scrape_config_files", "rule_files", "remote_write", "remote_read", "storage", "tracing", "otlp", "runtime"]
                .contains(key ?? "")
        }
    }
}
