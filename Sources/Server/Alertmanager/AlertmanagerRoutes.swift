import Alerting
import Codecs
import Formats
import Telemetry

/// The reading part of Alertmanager's API, version 2: what fires, as Grafana and amtool list it. There are no silences yet.
struct AlertmanagerRoutes {
    let alerts: @Sendable () -> [(rule: Rule, alert: Alert)]
    /// The receiver's name; nil where no webhook is configured.
    let receiver: String?
    let externalURL: String
    /// Nanoseconds since the Unix epoch.
    let startedAt: Int64

    var routes: [Route] {
        [
            .get("/api/v2/status", scope: .query, errors: .apus) { _ in status() },
            .get("/api/v2/receivers", scope: .query, errors: .apus) { _ in receivers() },
            .get("/api/v2/silences", scope: .query, errors: .apus) { _ in .json(Array("[]".utf8)) },
            .get("/api/v2/alerts", scope: .query, errors: .apus) { _ in list() },
            .get("/api/v2/alerts/groups", scope: .query, errors: .apus) { _ in groups() },
        ]
    }

    private var receiverNames: [String] { receiver.map { [$0] } ?? [] }
    private var firing: [Alert] { alerts().map(\.alert).filter { $0.state == .firing } }

    private func status() -> Answer {
        // amtool parses this text as an Alertmanager configuration, so it must be one.
        let name = receiver ?? "none"
        let original = "route:\n  receiver: \(name)\nreceivers:\n- name: \(name)\n"
        var json = JSONWriter()
        json.beginObject()
        json.key("cluster")
        json.object { json in
            json.field("status", "disabled")
            json.field("peers", [String]())
        }
        json.key("config")
        json.object { $0.field("original", original) }
        json.key("versionInfo")
        json.object { json in
            // The version whose API this is.
            json.field("version", "0.28.0")
            json.field("revision", "apus-\(Version.number)")
            json.field("branch", "main")
            json.field("buildUser", "")
            json.field("buildDate", "")
            json.field("goVersion", "")
        }
        json.field("uptime", RFC3339.text(nanoseconds: startedAt, digits: 3))
        json.endObject()
        return .json(json.bytes)
    }

    private func receivers() -> Answer {
        var json = JSONWriter()
        Self.write(receivers: receiverNames, &json)
        return .json(json.bytes)
    }

    private func list() -> Answer {
        var json = JSONWriter()
        json.beginArray()
        for alert in firing { write(alert, &json) }
        json.endArray()
        return .json(json.bytes)
    }

    /// Grouped by the alert's name, as the webhook groups.
    private func groups() -> Answer {
        var byName: [String: [Alert]] = [:]
        for alert in firing { byName[alert.labels[Alert.nameLabel] ?? "", default: []].append(alert) }
        var json = JSONWriter()
        json.beginArray()
        for (name, alerts) in byName.sorted(by: { $0.key.utf8Precedes($1.key) }) {
            json.beginObject()
            json.key("labels")
            json.labels(Labels([Label(Alert.nameLabel, name)]))
            json.key("receiver")
            json.object { $0.field("name", receiver ?? "none") }
            json.key("alerts")
            json.beginArray()
            for alert in alerts { write(alert, &json) }
            json.endArray()
            json.endObject()
        }
        json.endArray()
        return .json(json.bytes)
    }

    private static func write(receivers: [String], _ json: inout JSONWriter) {
        json.beginArray()
        for name in receivers { json.object { $0.field("name", name) } }
        json.endArray()
    }

    private func write(_ alert: Alert, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("labels")
        json.labels(alert.labels)
        json.key("annotations")
        json.labels(alert.annotations)
        json.field("startsAt", Self.time(alert.firedAt ?? alert.activeAt))
        json.field("endsAt", Self.time(alert.validUntil ?? alert.activeAt))
        json.field("updatedAt", Self.time(alert.lastSentAt ?? alert.activeAt))
        let fingerprint = String(Alert.fingerprint(alert.labels), radix: 16)
        json.field("fingerprint", String(repeating: "0", count: 16 - fingerprint.count) + fingerprint)
        json.field("generatorURL", externalURL)
        json.key("receivers")
        Self.write(receivers: receiverNames, &json)
        json.key("status")
        json.object { json in
            json.field("state", "active")
            json.field("silencedBy", [String]())
            json.field("inhibitedBy", [String]())
            json.field("mutedBy", [String]())
        }
        json.endObject()
    }

    private static func time(_ milliseconds: Int64) -> String {
        RFC3339.text(nanoseconds: milliseconds.multipliedReportingOverflow(by: 1_000_000).partialValue, digits: 3)
    }
}
