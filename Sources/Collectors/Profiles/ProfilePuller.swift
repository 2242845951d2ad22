import Formats
package import Logging
import ServiceLifecycle
import Settings
import Synchronization
package import Telemetry

/// Pulls profiles of Go processes (and whatever else serves `/debug/pprof`) on an interval.
package final class ProfilePuller: Service {
    private let targets: [ProfileTarget]
    private let store: any TelemetryStore
    private let time: TimeSource
    private let logger: Logger
    private let userAgent: String
    private let state: Mutex<[ProfileTargetSnapshot]>

    /// The longest wait for a profile beyond the seconds that it covers.
    private static let patience = Duration.seconds(10)

    package init(
        configuration: [ProfileTarget], store: any TelemetryStore, time: TimeSource = .system,
        userAgent: String = "Apus", logger: Logger
    ) {
        targets = configuration
        self.store = store
        self.time = time
        self.userAgent = userAgent
        self.logger = logger
        state = Mutex(
            configuration.map { target in
                ProfileTargetSnapshot(target: target, pulls: target.kinds.map { ProfileTargetSnapshot.Pull(kind: $0) })
            })
    }

    /// The targets and how their last pulls went.
    package func snapshots() -> [ProfileTargetSnapshot] { state.withLock { $0 } }

    /// Pulls until the service group shuts down.
    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.runUntilCancelled() }
    }

    private func runUntilCancelled() async {
        let client = ScrapeClient(userAgent: userAgent)
        await withDiscardingTaskGroup { group in
            for index in targets.indices {
                group.addTask { await self.pullForever(index, client) }
            }
        }
        await client.shutdown()
    }

    private func pullForever(_ index: Int, _ client: ScrapeClient) async {
        let target = targets[index]
        var hash = FNV1a()
        hash.combine(target.url)
        // The first profile comes at once: nobody wants to look at an empty page for a minute.
        while !Task.isCancelled {
            for kind in target.kinds where !Task.isCancelled { await pull(kind, of: index, client) }
            let next = Schedule.next(after: time.nanoseconds, interval: target.interval, offsetHash: hash.value)
            guard (try? await Task.sleep(for: .nanoseconds(next - time.nanoseconds))) != nil else { return }
        }
    }

    /// Pulls one profile and stores it.
    func pull(_ kind: ProfileTarget.Kind, of index: Int, _ client: ScrapeClient) async {
        let target = targets[index]
        let started = time.milliseconds
        var failure = ""
        do {
            let timeout = kind == .cpu ? .seconds(target.seconds) + Self.patience : Self.patience
            let answer = try await client.get(
                target.url(of: kind), accept: "*/*", timeout: timeout, options: target.options)
            try await store.append(try batch(answer.body, kind, target))
        } catch {
            if Task.isCancelled { return }
            failure = "\(error)"
        }
        let before = state.withLock { state -> String in
            guard let pull = state[index].pulls.firstIndex(where: { $0.kind == kind }) else { return "" }
            let before = state[index].pulls[pull].lastError
            state[index].pulls[pull].lastPull = started
            state[index].pulls[pull].lastError = failure
            return before
        }
        if !failure.isEmpty, before.isEmpty {
            logger.warning(
                "A profile could not be pulled",
                metadata: [
                    "service": .string(target.service), "kind": .string(kind.rawValue), "error": .string(failure),
                ])
        }
    }

    private func batch(_ body: [UInt8], _ kind: ProfileTarget.Kind, _ target: ProfileTarget) throws -> TelemetryBatch {
        let decoded = try Pprof.decode(body.span, defaultTimestamp: time.nanoseconds)
        var batch = TelemetryBatch()
        for (type, profile) in decoded.profiles {
            var labels = target.labels
            labels[ProfileType.serviceLabelName] = target.service
            if labels["instance"] == nil { labels["instance"] = target.instance }
            labels[ProfileType.labelName] =
                ProfileType(
                    name: kind.profileName, sampleType: type.type, sampleUnit: type.unit,
                    periodType: decoded.periodType.type,
                    periodUnit: decoded.periodType.unit
                ).description
            batch.profiles.streams.append(.init(labels: labels, profiles: [profile]))
        }
        return batch
    }
}
