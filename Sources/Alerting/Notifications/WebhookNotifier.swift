import AsyncHTTPClient
package import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Settings
import Synchronization
package import Telemetry

/// Sends alerts to a webhook in Alertmanager's JSON: grouped, without repeating what has been said, tried again when the
/// receiver fails. Rules never wait for it.
package final class WebhookNotifier: AlertNotifier, Service {
    private struct State: Sendable {
        var groups: [Labels: NotificationGroup] = [:]
        var alertCount: Int { groups.values.reduce(0) { $0 + $1.alerts.count } }
        var statistics = NotifierStatistics()
    }

    /// Alerts held at once; more are dropped and counted.
    private static let alertCountMax = 10_000
    /// How often groups are looked at.
    private static let tick = Duration.milliseconds(200)
    private static let requestTimeout = Duration.seconds(10)
    private static let retryDelayMax = Duration.seconds(60)

    private let configuration: WebhookConfiguration
    private let externalURL: String
    private let externalLabels: Labels
    private let time: TimeSource
    private let logger: Logger
    private let retryDelay: Duration
    private let retryCountMax: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - retryDelay: before the second try; doubles with each further one.
    ///   - retryCountMax: then the message is given up; the next look at the group makes a new one.
    package init(
        configuration: WebhookConfiguration, externalURL: String, externalLabels: Labels = .empty,
        retryDelay: Duration = .seconds(1),
        retryCountMax: Int = 8, time: TimeSource = .system, logger: Logger
    ) {
        self.configuration = configuration
        self.externalURL = externalURL
        self.externalLabels = externalLabels
        self.retryDelay = retryDelay
        self.retryCountMax = retryCountMax
        self.time = time
        self.logger = logger
    }

    package var statistics: NotifierStatistics { state.withLock { $0.statistics } }

    package func notify(_ alerts: [Alert], of rule: Rule) {
        let now = time.milliseconds
        let generatorURL = externalURL + "/graph?g0.expr=" + TemplateFunctions.urlQuery(rule.expression) + "&g0.tab=1"
        let dropped = state.withLock { state in
            var dropped = 0
            var room = Self.alertCountMax - state.alertCount
            for alert in alerts {
                var labels = alert.labels
                for label in externalLabels.pairs where labels[label.name] == nil { labels[label.name] = label.value }
                let notified = NotifiedAlert(
                    labels: labels, annotations: alert.annotations, startsAt: alert.firedAt ?? alert.activeAt,
                    endsAt: alert.resolvedAt,
                    validUntil: alert.validUntil ?? .max, generatorURL: generatorURL)
                let key = labels.keeping(Set(configuration.groupBy))
                let isKnown = state.groups[key]?.alerts[labels] != nil
                // A resolved alert of which nobody has heard is no news.
                if notified.isResolved, !isKnown { continue }
                guard isKnown || room > 0 else {
                    dropped += 1
                    continue
                }
                if !isKnown { room -= 1 }
                state.groups[key, default: NotificationGroup(labels: key, now: now, configuration: configuration)]
                    .insert(notified)
            }
            state.statistics.dropped += dropped
            return dropped
        }
        if dropped > 0 {
            logger.error("Too many alerts wait for the webhook: some were dropped", metadata: ["count": "\(dropped)"])
        }
    }

    /// Sends until the service group shuts down.
    package func run() async throws {
        var clientConfiguration = HTTPClient.Configuration()
        clientConfiguration.redirectConfiguration = .follow(max: 5, allowCycles: false)
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: clientConfiguration)
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    for (key, alerts) in self.dueGroups() {
                        group.addTask { await self.deliver(alerts, of: key, client) }
                    }
                    guard (try? await Task.sleep(for: Self.tick)) != nil else { break }
                }
                group.cancelAll()
            }
        }
        try? await client.shutdown()
    }

    private func dueGroups() -> [(key: Labels, alerts: [NotifiedAlert])] {
        let now = time.milliseconds
        return state.withLock { state in
            var due: [(key: Labels, alerts: [NotifiedAlert])] = []
            for key in Array(state.groups.keys) {
                if let alerts = state.groups[key]?.flush(at: now, configuration: configuration) {
                    due.append((key, alerts))
                }
                if state.groups[key]?.isEmpty == true { state.groups[key] = nil }
            }
            return due
        }
    }

    private func deliver(_ alerts: [NotifiedAlert], of key: Labels, _ client: HTTPClient) async {
        let message = WebhookMessage(
            configuration: configuration, groupLabels: key, alerts: alerts, externalURL: externalURL)
        let body = message.json
        var delay = retryDelay
        for attempt in 0... {
            let outcome = await post(body, client)
            if Task.isCancelled { return }
            let now = time.milliseconds
            switch outcome {
            case .delivered:
                state.withLock { state in
                    state.statistics.sent += 1
                    state.groups[key]?.delivered(alerts, at: now)
                }
                return
            case .failed(let reason, let isFinal):
                state.withLock { $0.statistics.lastError = reason }
                if isFinal || attempt >= retryCountMax {
                    state.withLock { state in
                        state.statistics.failed += 1
                        state.groups[key]?.gaveUp()
                    }
                    logger.error(
                        "A notification could not be delivered",
                        metadata: ["url": .string(configuration.url), "error": .string(reason)])
                    return
                }
                if attempt == 0 {
                    logger.warning(
                        "A notification failed: trying again",
                        metadata: ["url": .string(configuration.url), "error": .string(reason)])
                }
                guard (try? await Task.sleep(for: delay)) != nil else { return }
                delay = min(delay * 2, Self.retryDelayMax)
            }
        }
    }

    private enum Outcome {
        case delivered
        /// Final: trying again would change nothing.
        case failed(String, isFinal: Bool)
    }

    private func post(_ body: String, _ client: HTTPClient) async -> Outcome {
        var request = HTTPClientRequest(url: configuration.url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "User-Agent", value: "Apus")
        if !configuration.authorization.isEmpty {
            request.headers.add(name: "Authorization", value: configuration.authorization)
        }
        request.body = .bytes(ByteBuffer(string: body))
        do {
            let response = try await client.execute(request, timeout: .milliseconds(Self.requestTimeout.milliseconds))
            let status = response.status
            if (200..<300).contains(status.code) { return .delivered }
            // What the receiver does not understand now it will not understand later (Alertmanager, `Retrier`).
            let isTemporary = status.code >= 500 || status == .tooManyRequests || status == .requestTimeout
            return .failed("the receiver answered \(status.code) \(status.reasonPhrase)", isFinal: !isTemporary)
        } catch {
            return .failed("\(error)", isFinal: false)
        }
    }
}
