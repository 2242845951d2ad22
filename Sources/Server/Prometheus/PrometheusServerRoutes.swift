import Codecs
import Collectors
import Formats
import PromQL
import Query
import Telemetry

/// What Prometheus tells about itself that has little to tell of here: answered all the same, because its web app and tools ask (web/api/v1).
struct PrometheusServerRoutes {
    let store: any TelemetryStore
    /// The YAML of a job, without secrets; nil where there is no such job.
    let scrapeConfiguration: @Sendable (String) -> String?
    /// Where alerts go.
    let alertmanagers: @Sendable () -> [String]
    /// The experimental parts that are on, by the names of Prometheus' flags.
    let featureNames: [String]
    let isAdminAPIEnabled: Bool
    let selfMetrics: SelfMetrics

    var routes: [Route] {
        [
            .get("/api/v1/scrape_pools/config", scope: .query, errors: .prometheus) { try scrapePool($0) },
            .get("/api/v1/alertmanagers", scope: .query, errors: .prometheus) { _ in alertmanagerList() },
            .get("/api/v1/notifications", scope: .query, errors: .prometheus) { _ in
                PrometheusJSON.success { $0.write { $0.raw("[]") } }
            },
            // No events ever come: a browser that gets this asks again no more.
            .get("/api/v1/notifications/live", scope: .query, errors: .prometheus) { _ in .empty(status: 204) },
            .get("/api/v1/features", scope: .query, errors: .prometheus) { _ in features() },
            .get("/api/v1/status/walreplay", scope: .query, errors: .prometheus) { _ in walReplay() },
            .get("/api/v1/status/tsdb/blocks", scope: .query, errors: .prometheus) { _ in await blocks() },
            .get("/api/v1/status/self_metrics", scope: .query, errors: .prometheus) { try await ownMetrics($0) },
            .get("/version", scope: .query, errors: .prometheus) { _ in PrometheusStatusRoutes.version() },
        ]
    }

    private func scrapePool(_ call: Call) throws -> Answer {
        guard let pool = try call.form().nonEmpty("scrapePool") else { throw APIError(.badRequest, "no scrapePool parameter provided") }
        guard let yaml = scrapeConfiguration(pool) else {
            throw APIError(.badRequest, "error retrieving scrape config: scrape pool \(pool.debugDescription) not found")
        }
        return object { $0.field("yaml", yaml) }
    }

    private func alertmanagerList() -> Answer {
        object { json in
            json.key("activeAlertmanagers")
            json.beginArray()
            for url in alertmanagers() {
                json.beginObject()
                json.field("url", url)
                json.endObject()
            }
            json.endArray()
            json.key("droppedAlertmanagers")
            json.beginArray()
            json.endArray()
        }
    }

    /// By category, as Prometheus' own registry has them.
    private func features() -> Answer {
        let experimental = Set(featureNames)
        let api: [(String, Bool)] = [
            ("admin", isAdminAPIEnabled), ("exclude_alerts", true), ("label_values_match", true), ("lifecycle", true), ("otlp_write_receiver", true),
            ("query_stats", true), ("query_warnings", true), ("remote_write_receiver", true), ("search", true), ("time_range_labels", true),
            ("time_range_series", true),
        ]
        let scrape: [(String, Bool)] = [
            ("extra_scrape_metrics", true), ("start_timestamp_zero_ingestion", experimental.contains("created-timestamp-zero-ingestion")),
        ]
        return object { json in
            for (category, entries) in [("api", api), ("scrape", scrape), ("promql", Self.promql(experimental))] {
                json.key(category)
                json.beginObject()
                for (name, isOn) in entries { json.field(name, isOn) }
                json.endObject()
            }
        }
    }

    private static func promql(_ experimental: Set<String>) -> [(String, Bool)] {
        let standard = [
            "at_modifier", "bool", "by", "group_left", "group_right", "ignoring", "negative_offset", "offset", "on",
            "per_query_lookback_delta", "subqueries", "without",
        ]
        let named = PromQLFeatures.byName.keys.map { name in
            let short = name.hasPrefix("promql-") ? String(name.dropFirst("promql-".count)) : name
            return (short.replacing("-", with: "_"), experimental.contains(name))
        }
        return (standard.map { ($0, true) } + named).sorted { $0.0 < $1.0 }
    }

    /// The log is read before the listeners open.
    private func walReplay() -> Answer {
        object { json in
            json.field("min", 0)
            json.field("max", 0)
            json.field("current", 0)
        }
    }

    /// The store has parts, not blocks: together they are shown as one.
    private func blocks() async -> Answer {
        let figures = await store.statistics().signals[.metrics] ?? StoreStatistics.SignalFigures()
        return object { json in
            json.key("blocks")
            json.beginArray()
            if let range = figures.range, figures.partCount > 0 {
                json.beginObject()
                json.field("ulid", "00000000000000000000000000")
                json.field("minTime", range.start)
                json.field("maxTime", range.end)
                json.key("stats")
                json.beginObject()
                json.field("numSamples", figures.partRowCount)
                json.field("numSeries", figures.streamCount)
                json.field("numChunks", figures.partCount)
                json.endObject()
                json.key("compaction")
                json.beginObject()
                json.field("level", 1)
                json.endObject()
                json.field("version", 1)
                json.endObject()
            }
            json.endArray()
        }
    }

    /// The server's own metrics as protobuf's JSON has metric families.
    private func ownMetrics(_ call: Call) async throws -> Answer {
        let form = try call.form()
        let test: MatcherTest
        do {
            test = try MatcherTest(form.nonEmpty("metric_name_pattern").map { [LabelMatcher(Labels.metricName, .matches, $0)] } ?? [])
        } catch {
            throw APIError(.badRequest, "invalid metric_name_pattern: \(error)")
        }
        let exposition = try Exposition.parse(await selfMetrics.text(), contentType: nil, defaultTimestamp: 0, honorTimestamps: false)
        return PrometheusJSON.success { answer in
            answer.write { json in SelfMetricsJSON.write(exposition, test, &json) }
        }
    }

    private func object(_ body: (inout JSONWriter) -> Void) -> Answer {
        PrometheusJSON.success { answer in
            answer.write { json in
                json.beginObject()
                body(&json)
                json.endObject()
            }
        }
    }
}
