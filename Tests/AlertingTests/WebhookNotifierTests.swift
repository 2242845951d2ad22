import Foundation
import Logging
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Alerting

@Suite("NotificationGroup")
struct NotificationGroupTests {
    private func alert(_ name: String, endsAt: Int64? = nil) -> NotifiedAlert {
        NotifiedAlert(
            labels: Labels(["alertname": name]), annotations: .empty, startsAt: 0, endsAt: endsAt, validUntil: .max,
            generatorURL: "")
    }

    @Test(
        "a message waits for the group, comes for what is new, for what is resolved, and again after the repeat interval"
    )
    func messages() throws {
        let configuration = WebhookConfiguration(
            url: "http://x", groupWait: .seconds(10), groupInterval: .seconds(60), repeatInterval: .seconds(600))
        var group = NotificationGroup(labels: .empty, now: 0, configuration: configuration)
        func flush(_ seconds: Int64) -> [String]? {
            guard let sent = group.flush(at: seconds * 1_000, configuration: configuration) else { return nil }
            group.delivered(sent, at: seconds * 1_000)
            return sent.map { ($0.labels["alertname"] ?? "") + ($0.isResolved ? "-" : "+") }
        }
        group.insert(alert("a"))
        #expect(flush(5) == nil)
        group.insert(alert("b"))
        #expect(flush(10) == ["a+", "b+"])
        #expect(flush(70) == nil)
        group.insert(alert("a", endsAt: 80_000))
        #expect(flush(100) == nil)
        #expect(flush(130) == ["b+", "a-"])
        #expect(flush(190) == nil)
        #expect(flush(800) == ["b+"])
        group.insert(alert("b", endsAt: 810_000))
        #expect(flush(860) == ["b-"])
        #expect(group.isEmpty)
    }

    @Test("an alert that nothing more is heard of is resolved")
    func expiry() {
        let configuration = WebhookConfiguration(url: "http://x", groupWait: .zero, groupInterval: .seconds(1))
        var group = NotificationGroup(labels: .empty, now: 0, configuration: configuration)
        var silent = alert("a")
        silent.validUntil = 5_000
        group.insert(silent)
        if let sent = group.flush(at: 0, configuration: configuration) { group.delivered(sent, at: 0) }
        #expect(group.flush(at: 6_000, configuration: configuration)?.first?.isResolved == true)
    }
}

@Suite("WebhookNotifier")
struct WebhookNotifierTests {
    private let rule = Rule(kind: .alerting, name: "Slow", expression: "latency > 1")

    private func alert(_ instance: String, resolvedAt: Int64? = nil) -> Alert {
        var alert = Alert(
            labels: Labels(["alertname": "Slow", "instance": instance, "job": "shop"]),
            annotations: Labels(["summary": "slow"]), value: 2,
            activeAt: 1_700_000_000_000)
        alert.state = resolvedAt == nil ? .firing : .inactive
        alert.firedAt = 1_700_000_060_000
        alert.resolvedAt = resolvedAt
        return alert
    }

    private func notifier(_ url: String) -> WebhookNotifier {
        WebhookNotifier(
            configuration: WebhookConfiguration(
                name: "hook", url: url, groupWait: .milliseconds(50), groupInterval: .milliseconds(100)),
            externalURL: "http://apus", externalLabels: Labels(["region": "eu"]), retryDelay: .milliseconds(20),
            retryCountMax: 3,
            logger: Logger(label: "test"))
    }

    @Test("the message is Alertmanager's, one for a group; the resolved alert is told, too")
    func message() async throws {
        let server = try LoopbackServer { _ in .text("ok") }
        let notifier = notifier(server.url)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await notifier.run() }
            notifier.notify([alert("a"), alert("b")], of: rule)
            try await until { notifier.statistics.sent == 1 }
            notifier.notify([alert("a", resolvedAt: 1_700_000_120_500)], of: rule)
            try await until { notifier.statistics.sent == 2 }
            group.cancelAll()
        }
        #expect(server.requests.count == 2)
        let first = try #require(
            try JSONSerialization.jsonObject(with: Data(server.requests[0].body)) as? [String: Any])
        #expect(first["version"] as? String == "4")
        #expect(first["receiver"] as? String == "hook")
        #expect(first["status"] as? String == "firing")
        #expect(first["groupKey"] as? String == "{}:{alertname=\"Slow\"}")
        #expect(first["groupLabels"] as? [String: String] == ["alertname": "Slow"])
        #expect(first["commonLabels"] as? [String: String] == ["alertname": "Slow", "job": "shop", "region": "eu"])
        #expect(first["commonAnnotations"] as? [String: String] == ["summary": "slow"])
        #expect(first["externalURL"] as? String == "http://apus")
        #expect(first["truncatedAlerts"] as? Int == 0)
        let alerts = try #require(first["alerts"] as? [[String: Any]])
        #expect(alerts.count == 2)
        #expect(alerts[0]["status"] as? String == "firing")
        #expect(alerts[0]["startsAt"] as? String == "2023-11-14T22:14:20Z")
        #expect(alerts[0]["endsAt"] as? String == "0001-01-01T00:00:00Z")
        #expect(alerts[0]["generatorURL"] as? String == "http://apus/graph?g0.expr=latency+%3E+1&g0.tab=1")
        #expect((alerts[0]["fingerprint"] as? String)?.count == 16)
        let second = try #require(
            try JSONSerialization.jsonObject(with: Data(server.requests[1].body)) as? [String: Any])
        let resolved = try #require(
            (second["alerts"] as? [[String: Any]])?.first { $0["status"] as? String == "resolved" })
        #expect(resolved["endsAt"] as? String == "2023-11-14T22:15:20.5Z")
    }

    @Test("a receiver that fails is tried again; one that refuses is not", arguments: [(503, true), (400, false)])
    func retries(status: Int, arrives: Bool) async throws {
        let attempts = Mutex(0)
        let server = try LoopbackServer { _ in
            let attempt = attempts.withLock { attempts in
                attempts += 1
                return attempts
            }
            return .text("x", status: status == 503 && attempt == 3 ? 200 : status)
        }
        let notifier = notifier(server.url)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await notifier.run() }
            notifier.notify([alert("a")], of: rule)
            try await until { notifier.statistics.sent + notifier.statistics.failed == 1 }
            group.cancelAll()
        }
        #expect(notifier.statistics.sent == (arrives ? 1 : 0))
        #expect(notifier.statistics.lastError.hasPrefix("the receiver answered \(status)"))
    }

    @Test("a receiver that never answers keeps nobody waiting, and the queue is bounded")
    func bounded() async throws {
        let server = try LoopbackServer { _ in .silence }
        let notifier = notifier(server.url)
        for batch in 0..<11 { notifier.notify((0..<1_000).map { alert("\(batch)-\($0)") }, of: rule) }
        #expect(notifier.statistics.dropped == 1_000)
    }
}
