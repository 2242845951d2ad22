import Codecs
import Collectors
import Formats
import Settings
import Telemetry

/// `targets` and `scrape_pools` (Prometheus, HTTP API, "Targets").
struct PrometheusTargetRoutes {
    /// The jobs with their targets, now.
    let pools: @Sendable () -> [ScrapePool]

    var routes: [Route] {
        [
            .get("/api/v1/targets", scope: .query, errors: .prometheus) { try targets($0) },
            .get("/api/v1/scrape_pools", scope: .query, errors: .prometheus) { _ in scrapePools() },
        ]
    }

    private func scrapePools() -> Answer {
        let names = pools().map(\.name)
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
        let wanted = form.nonEmpty("scrapePool")
        let pools = pools().filter { wanted == nil || $0.name == wanted }
        return PrometheusJSON.success { answer in
            answer.write { json in
                json.beginObject()
                json.key("activeTargets")
                json.beginArray()
                if state != "dropped" {
                    for pool in pools {
                        for target in pool.active { Self.write(target, &json) }
                    }
                }
                json.endArray()
                json.key("droppedTargets")
                json.beginArray()
                if state != "active" {
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
                for pool in pools { json.field(pool.name, pool.dropped.count) }
                json.endObject()
                json.endObject()
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
