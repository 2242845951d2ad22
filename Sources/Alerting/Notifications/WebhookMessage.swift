import Telemetry

/// The JSON that Alertmanager's webhook receiver sends (version 4).
struct WebhookMessage {
    let configuration: WebhookConfiguration
    let groupLabels: Labels
    let alerts: [NotifiedAlert]
    let externalURL: String

    var json: String {
        let limit = configuration.maxAlerts > 0 ? configuration.maxAlerts : alerts.count
        let told = alerts.prefix(limit)
        let isFiring = alerts.contains { !$0.isResolved }
        var text = "{\"receiver\":" + string(configuration.name)
        text += ",\"status\":\"\(isFiring ? "firing" : "resolved")\""
        text += ",\"alerts\":[" + told.map(Self.json).joined(separator: ",") + "]"
        text += ",\"groupLabels\":" + Self.object(groupLabels)
        text += ",\"commonLabels\":" + Self.object(Self.common(alerts.map(\.labels)))
        text += ",\"commonAnnotations\":" + Self.object(Self.common(alerts.map(\.annotations)))
        text += ",\"externalURL\":" + string(externalURL)
        text += ",\"version\":\"4\",\"groupKey\":" + string("{}:" + Self.key(groupLabels))
        return text + ",\"truncatedAlerts\":\(alerts.count - told.count)}"
    }

    private static func json(_ alert: NotifiedAlert) -> String {
        var text = "{\"status\":\"\(alert.isResolved ? "resolved" : "firing")\""
        text += ",\"labels\":" + object(alert.labels) + ",\"annotations\":" + object(alert.annotations)
        text += ",\"startsAt\":\"\(TimeFormat.rfc3339(milliseconds: alert.startsAt))\""
        // Go's zero time: it has not ended.
        text += ",\"endsAt\":\"\(alert.endsAt.map { TimeFormat.rfc3339(milliseconds: $0) } ?? "0001-01-01T00:00:00Z")\""
        text += ",\"generatorURL\":" + AttributeValue.jsonString(alert.generatorURL)
        let hash = String(alert.fingerprint, radix: 16)
        return text + ",\"fingerprint\":\"" + String(repeating: "0", count: 16 - hash.count) + hash + "\"}"
    }

    private static func object(_ labels: Labels) -> String {
        let members = labels.pairs.map {
            AttributeValue.jsonString($0.name) + ":" + AttributeValue.jsonString($0.value)
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    /// As Alertmanager writes a label set in a group's key: without spaces.
    private static func key(_ labels: Labels) -> String {
        "{"
            + labels.pairs.map { ($0.name.isLabelIdentifier ? $0.name : $0.name.quoted) + "=" + $0.value.quoted }
            .joined(separator: ", ") + "}"
    }

    /// The pairs that all of them have.
    private static func common(_ sets: [Labels]) -> Labels {
        guard let first = sets.first else { return .empty }
        return Labels(
            sorted: first.pairs.filter { pair in sets.dropFirst().allSatisfy { $0[pair.name] == pair.value } })
    }

    private func string(_ text: String) -> String { AttributeValue.jsonString(text) }
}
