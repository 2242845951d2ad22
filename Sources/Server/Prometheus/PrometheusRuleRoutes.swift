import Alerting
import Codecs
import Formats
import PromQL
import Settings
import Telemetry

/// `rules` and `alerts` (Prometheus, HTTP API, "Rules", "Alerts").
struct PrometheusRuleRoutes {
    /// The groups with their rules, now.
    let groups: @Sendable () -> [RuleGroupSnapshot]

    var routes: [Route] {
        // Loki's clients ask for their rules under a prefix of their own.
        ["", "/prometheus"].flatMap { prefix in
            [
                Route.get("\(prefix)/api/v1/rules", scope: .query, errors: .prometheus) { try rules($0, ofLogs: !prefix.isEmpty) },
                Route.get("\(prefix)/api/v1/alerts", scope: .query, errors: .prometheus) { _ in alerts(ofLogs: !prefix.isEmpty) },
            ]
        }
    }

    private func groups(ofLogs: Bool) -> [RuleGroupSnapshot] { ofLogs ? groups().filter { $0.language == .logql } : groups() }

    private func alerts(ofLogs: Bool) -> Answer {
        let alerts = groups(ofLogs: ofLogs).flatMap { $0.rules.flatMap(\.alerts) }
        return PrometheusJSON.success { answer in
            answer.write { json in
                json.beginObject()
                json.key("alerts")
                json.beginArray()
                for alert in alerts { Self.write(alert, &json) }
                json.endArray()
                json.endObject()
            }
        }
    }

    private func rules(_ call: Call, ofLogs: Bool) throws -> Answer {
        let filter = try RuleListFilter(call)
        let page = try filter.page(of: groups(ofLogs: ofLogs))
        return PrometheusJSON.success { answer in
            answer.write { json in
                json.beginObject()
                json.key("groups")
                json.beginArray()
                for group in page.groups { Self.write(group, withoutAlerts: filter.withoutAlerts, &json) }
                json.endArray()
                if let token = page.nextToken { json.field("groupNextToken", token) }
                json.endObject()
            }
        }
    }

    private static func write(_ group: RuleGroupSnapshot, withoutAlerts: Bool, _ json: inout JSONWriter) {
        json.beginObject()
        json.field("name", group.name)
        json.field("file", group.file)
        json.key("rules")
        json.beginArray()
        for rule in group.rules { write(rule, withoutAlerts: withoutAlerts, &json) }
        json.endArray()
        json.field("interval", group.interval.seconds)
        json.field("limit", group.limit)
        json.field("evaluationTime", group.evaluationTime.seconds)
        json.field("lastEvaluation", time(group.lastEvaluation))
        json.endObject()
    }

    private static func write(_ snapshot: RuleSnapshot, withoutAlerts: Bool, _ json: inout JSONWriter) {
        let rule = snapshot.rule
        json.beginObject()
        if rule.kind == .alerting {
            json.field("state", snapshot.state.rawValue)
            json.field("name", rule.name)
            json.field("query", rule.expression)
            json.field("duration", rule.holdDuration.seconds)
            json.field("keepFiringFor", rule.keepFiringFor.seconds)
            json.key("labels")
            json.labels(rule.labels)
            json.key("annotations")
            json.labels(rule.annotations)
            json.key("alerts")
            json.beginArray()
            if !withoutAlerts {
                for alert in snapshot.alerts { write(alert, &json) }
            }
            json.endArray()
        } else {
            json.field("name", rule.name)
            json.field("query", rule.expression)
            json.key("labels")
            json.labels(rule.labels)
        }
        json.field("health", snapshot.health.rawValue)
        if !snapshot.lastError.isEmpty { json.field("lastError", snapshot.lastError) }
        json.field("evaluationTime", snapshot.evaluationTime.seconds)
        json.field("lastEvaluation", time(snapshot.lastEvaluation))
        json.field("type", rule.kind.rawValue)
        json.endObject()
    }

    private static func write(_ alert: Alert, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("labels")
        json.labels(alert.labels)
        json.key("annotations")
        json.labels(alert.annotations)
        json.field("state", alert.state.rawValue)
        json.field("activeAt", time(alert.activeAt))
        if let since = alert.keepFiringSince { json.field("keepFiringSince", time(since)) }
        json.field("value", PromQLNumber.formatScientific(alert.value))
        json.endObject()
    }

    private static func time(_ milliseconds: Int64?) -> String {
        milliseconds.map { RFC3339.text(nanoseconds: $0.multipliedReportingOverflow(by: 1_000_000).partialValue) } ?? RFC3339.never
    }
}
