import Codecs
import Formats
import Settings
import Telemetry

/// What Loki says of itself: version, limits, configuration. Its `/services` is a page of the web app here.
struct LokiStatusRoutes {
    let settings: @Sendable () -> ServerSettings

    /// The version of Loki whose API this is.
    static let version = "3.8.0"

    var routes: [Route] {
        [
            .get("/loki/api/v1/status/buildinfo", scope: .query, errors: .loki) { _ in buildInformation() },
            .get("/loki/api/v1/drilldown-limits", scope: .query, errors: .loki) { _ in drilldownLimits() },
            .get("/config/tenant/v1/limits", scope: .query, errors: .loki) { _ in .text(yaml(limits)) },
            .get("/config", scope: .query, errors: .loki) { _ in .text(configuration) },
            .get("/ready", scope: nil, errors: .loki) { _ in .text("ready\n") },
        ]
    }

    private func buildInformation() -> Answer {
        var json = JSONWriter()
        json.beginObject()
        json.field("version", Self.version)
        json.field("revision", "apus-\(Version.number)")
        json.field("branch", "main")
        json.field("buildUser", "")
        json.field("buildDate", "")
        json.field("goVersion", "")
        json.endObject()
        return .json(json.bytes)
    }

    private enum Value {
        case text(String)
        case integer(Int)
        case bool(Bool)
        case list([String])
    }

    /// Loki's names for what has a counterpart here.
    private var limits: [(name: String, value: Value)] {
        let settings = settings()
        return [
            ("discover_log_levels", .bool(true)),
            ("discover_service_name", .list(ServiceName.labels)),
            ("max_entries_limit_per_query", .integer(LokiParameters.entryCountMax)),
            ("max_line_size", .integer(LogAdmission.lineByteCountMax)),
            ("max_line_size_truncate", .bool(true)),
            ("max_query_length", .text("0s")),
            ("max_query_lookback", .text("0s")),
            ("max_query_range", .text("0s")),
            ("max_query_series", .integer(100_000)),
            ("query_timeout", .text(Self.duration(settings.limits.queryTimeout))),
            ("retention_period", .text(Self.duration(settings.retention.logs))),
            ("volume_enabled", .bool(true)),
            ("volume_max_series", .integer(100_000)),
        ]
    }

    private static func duration(_ duration: Duration) -> String { "\(Int(duration.seconds))s" }

    private func yaml(_ values: [(name: String, value: Value)]) -> String {
        values.map { name, value in
            switch value {
            case .text(let text): "\(name): \(text)\n"
            case .integer(let number): "\(name): \(number)\n"
            case .bool(let value): "\(name): \(value)\n"
            case .list(let texts): "\(name):\n" + texts.map { "  - \($0)\n" }.joined()
            }
        }.joined()
    }

    private var configuration: String {
        "target: all\nauth_enabled: false\nlimits_config:\n"
            + yaml(limits).split(separator: "\n").map { "  \($0)\n" }.joined()
    }

    private func drilldownLimits() -> Answer {
        var json = JSONWriter()
        json.beginObject()
        json.key("limits")
        json.beginObject()
        for (name, value) in limits {
            switch value {
            case .text(let text): json.field(name, text)
            case .integer(let number): json.field(name, number)
            case .bool(let value): json.field(name, value)
            case .list(let texts): json.field(name, texts)
            }
        }
        json.endObject()
        json.field("pattern_ingester_enabled", true)
        json.field("version", Self.version)
        json.endObject()
        return .json(json.bytes)
    }
}
