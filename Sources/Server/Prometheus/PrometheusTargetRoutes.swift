import Codecs
import Collectors
import Formats
import PromQL
import Query
import Settings
import Telemetry

/// `targets`, `targets/metadata` and `scrape_pools` (Prometheus, HTTP API, "Targets").
struct PrometheusTargetRoutes {
    /// The jobs with their targets, now.
    let pools: @Sendable () -> [ScrapePool]
    /// Of each target, what is known of the families that it exposes.
    let families: @Sendable () -> [(target: Labels, families: [MetricMetadata])]

    var routes: [Route] {
        [
            .get("/api/v1/targets", scope: .query, errors: .prometheus) { try targets($0) },
            .get("/api/v1/targets/metadata", scope: .query, errors: .prometheus) { try metadata($0) },
            .get("/api/v1/scrape_pools", scope: .query, errors: .prometheus) { _ in scrapePools() },
        ]
    }

    private func scrapePools() -> Answer {
        let names = pools().map(\.name).sorted { $0.utf8Precedes($1) }
        return PrometheusJSON.success { answer in
            answer.write { json in
                json.beginObject()
                json.field("scrapePools", names)
                json.endObject()
            }
        }
    }

    private func targets(_ call: Call) throws -> Answer {
        let form = try call.form()
        let state = form.nonEmpty("state")?.lowercased() ?? "any"
        let (wantsActive, wantsDropped) = (["any", "active"].contains(state), ["any", "dropped"].contains(state))
        let wanted = form.nonEmpty("scrapePool")
        let pools = pools().filter { wanted == nil || $0.name == wanted }
        return PrometheusJSON.success { answer in
            answer.write { json in
                json.beginObject()
                json.key("activeTargets")
                json.beginArray()
                if wantsActive {
                    for pool in pools {
                        for target in pool.active { Self.write(target, &json) }
                    }
                }
                json.endArray()
                json.key("droppedTargets")
                json.beginArray()
                if wantsDropped {
                    for pool in pools {
                        for labels in pool.dropped {
                            json.beginObject()
                            json.key("discoveredLabels")
                            json.labels(labels)
                            json.field("scrapePool", pool.name)
                            json.endObject()
                        }
                    }
                }
                json.endArray()
                json.key("droppedTargetCounts")
                json.beginObject()
                for pool in pools { json.field(pool.name, pool.droppedCount) }
                json.endObject()
                json.endObject()
            }
        }
    }

    /// What is known of the metrics that each target exposes.
    private func metadata(_ call: Call) throws -> Answer {
        let parameters = try PrometheusParameters(call)
        let limit = try parameters.count()
        let metric = parameters.form.nonEmpty("metric")
        var matchers: [LabelMatcher] = []
        if let text = parameters.form.nonEmpty("match_target") {
            do {
                matchers = try PromQLParser.selector(text)
            } catch {
                throw APIError.parameter("match_target", error.description)
            }
        }
        let test = try MatcherTest(matchers)
        var rows: [(target: Labels, entry: MetricMetadata)] = []
        for (target, families) in families() where test.holds(target) {
            for entry in families where metric == nil || entry.family == metric { rows.append((target, entry)) }
        }
        if let limit, rows.count > limit { rows.removeLast(rows.count - limit) }
        return PrometheusJSON.success { answer in
            answer.write { json in
                json.beginArray()
                for row in rows {
                    json.beginObject()
                    json.key("target")
                    json.labels(row.target)
                    if metric == nil { json.field("metric", row.entry.family) }
                    json.field("type", row.entry.kind.rawValue)
                    json.field("help", row.entry.help)
                    json.field("unit", row.entry.unit)
                    json.endObject()
                }
                json.endArray()
            }
        }
    }

    private static func write(_ target: TargetSnapshot, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("discoveredLabels")
        json.labels(target.discoveredLabels)
        json.key("labels")
        json.labels(target.labels)
        json.field("scrapePool", target.scrapePool)
        json.field("scrapeUrl", target.scrapeURL)
        json.field("globalUrl", target.globalURL)
        json.field("lastError", target.lastError)
        json.field("lastScrape", target.lastScrape.map { RFC3339.text(nanoseconds: $0 * 1_000_000) } ?? RFC3339.never)
        json.field("lastScrapeDuration", target.lastScrapeDuration.seconds)
        json.field("health", target.health.rawValue)
        json.field("scrapeInterval", DurationText.format(target.interval))
        json.field("scrapeTimeout", DurationText.format(target.timeout))
        json.endObject()
    }
}
