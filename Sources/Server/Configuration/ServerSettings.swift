import Alerting
package import Collectors
package import Settings
package import Telemetry
import Glibc

/// `apus.yaml`: what Apus itself is told. What the peers have files for, it takes from their files.
package struct ServerSettings: Sendable {
    package struct Retention: Sendable, Hashable {
        package var metrics: Duration = .seconds(30 * 86_400)
        package var logs: Duration = .seconds(30 * 86_400)
        package var spans: Duration = .seconds(14 * 86_400)
        package var profiles: Duration = .seconds(14 * 86_400)

        /// By signal.
        package var bySignal: [Signal: Duration] { [.metrics: metrics, .logs: logs, .spans: spans, .profiles: profiles] }
    }

    package struct Webhook: Sendable, Hashable {
        package var url: String
        package var sendsResolved: Bool
    }

    package struct RequestLimits: Sendable, Hashable {
        /// Bytes of a request's body, before and after decompression.
        package var bodyByteCountMax = 64 << 20
        package var queryTimeout: Duration = .seconds(120)
        package var querySampleCountMax = 50_000_000
        package var queryByteCountMax = 1 << 30
    }

    /// The file that this came from; "" where there is none.
    package var file = ""
    package var dataFolder: String?
    package var listen: ListenAddress?
    package var grpcListen: ListenAddress?
    package var otlpListen: ListenAddress?
    package var webFolder: String?
    package var logFormat: LogFormat?
    package var externalURL: String?
    package var hosts: [String] = []
    package var tokens: [Token] = []
    package var retention = Retention()
    /// Bytes on disk that a signal may take; one that is not named takes what there is.
    package var diskBudget: [Signal: Int] = [:]
    /// Bytes that stay free on the disk; nil: the store decides.
    package var diskReserveByteCount: Int?
    /// Bytes on disk that may wait for the slowest remote of `remote_write`; beyond it the oldest samples go unsent.
    package var remoteWriteBudget = 2 << 30
    /// Let `/api/v1/admin/tsdb/` delete and copy data.
    package var isAdminAPIEnabled = false
    package var limits = RequestLimits()
    /// The path of a `prometheus.yml`, and what it says.
    package var prometheusFile: String?
    package var prometheus = PrometheusConfiguration()
    package var logs: [TailConfiguration] = []
    /// A `promtail.yaml`, and what must not be stored of log lines.
    package var logCollection = LogSettings()
    package var profiles: [ProfileTarget] = []
    /// The host, containers and probes.
    package var builtIn = BuiltInConfiguration()
    /// Globs of rule files, besides those that `prometheus.yml` names.
    package var rules: [String] = []
    package var webhook: Webhook?
    /// Globs of rule files of Loki, and the folder that its API writes rules into.
    package var logRules: [String] = []
    package var logRulesFolder: String?

    package init() {}

    /// Reads an `apus.yaml` and the files that it names. Relative paths start at its folder.
    ///
    /// - Parameter environment: where tokens named by `env` are.
    /// - Throws: the first thing that is wrong, with its place.
    package static func load(path: String, environment: [String: String]) throws(ConfigurationError) -> ServerSettings {
        try parse(try ConfigurationFile.text(path: path), file: path, environment: environment)
    }

    /// Every glob of rule files: those of `prometheus.yml`, which start at its folder, and our own.
    var ruleFiles: RuleFileSet {
        RuleFileSet(
            promql: prometheus.ruleFiles.map { Self.resolve($0, in: prometheus.file) } + rules,
            logql: logRules + (logRulesFolder.map { [$0 + "/*"] } ?? []))
    }

    /// The path that `path`, written in `file`, means, without `.` and `..`: users see it as the label `filename`.
    package static func resolve(_ path: String, in file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return normalized(path) }
        return normalized(String(file[...slash]) + path)
    }

    private static func normalized(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
        }
        let joined = (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
        return joined.isEmpty ? "." : joined
    }
}
