import Glibc
package import Logging
import ServiceLifecycle
import Settings
import Synchronization
package import Telemetry

/// Scrapes the targets of a `prometheus.yml`, each at its own place within its interval, and keeps up with configuration and
/// discoveries.
package final class ScrapeManager: Service {
    /// The loops of one job.
    private struct Pool: Sendable {
        var configuration: ScrapeConfiguration
        /// Of what was discovered.
        var version: [Int]
        var loops: [ScrapeTarget: ScrapeLoop] = [:]
        var dropped: [Labels] = []
        /// Targets that cannot be scraped, and why.
        var invalid: [TargetSnapshot] = []
    }

    private struct State: Sendable {
        var configuration: PrometheusConfiguration
        var pools: [String: Pool] = [:]
    }

    /// Dropped targets shown for each job: a cluster's discovery may drop tens of thousands.
    private static let droppedCountMax = 1_000

    private let store: any TelemetryStore
    private let time: TimeSource
    private let logger: Logger
    private let transport: HTTPTransport
    private let discovery: DiscoveryManager
    private let hostName: String
    private let state: Mutex<State>
    /// One element whenever the targets may have changed.
    private let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    package init(
        configuration: PrometheusConfiguration, store: any TelemetryStore, time: TimeSource = .system,
        userAgent: String = "Apus",
        logger: Logger
    ) {
        self.store = store
        self.time = time
        self.logger = logger
        transport = HTTPTransport(userAgent: userAgent)
        discovery = DiscoveryManager(context: DiscoveryContext(transport: transport, logger: logger))
        hostName = Self.hostName()
        state = Mutex(State(configuration: configuration))
        (changes, change) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        discovery.apply(configuration.discoveries)
    }

    /// Takes a new configuration. Targets that it does not change go on undisturbed; the series of those that are gone get
    /// staleness markers.
    package func apply(_ configuration: PrometheusConfiguration) {
        state.withLock { $0.configuration = configuration }
        discovery.apply(configuration.discoveries)
        change.yield()
    }

    /// The discoveries that run and how they do, static ones left out.
    package func discoveries() -> [DiscoveryManager.Status] { discovery.statuses() }

    /// The jobs in the order of the configuration, with their targets.
    package func targets() -> [ScrapePool] {
        let (configurations, pools) = state.withLock { ($0.configuration.scrapes, $0.pools) }
        return configurations.compactMap { configuration in
            pools[configuration.jobName].map { pool in
                let active = pool.loops.values.map(\.snapshot) + pool.invalid
                return ScrapePool(
                    name: configuration.jobName,
                    active: active.sorted { ($0.scrapeURL, $0.labels) < ($1.scrapeURL, $1.labels) },
                    dropped: pool.dropped)
            }
        }
    }

    /// Scrapes until the service group shuts down.
    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.runUntilCancelled() }
    }

    private func runUntilCancelled() async {
        let client = ScrapeClient(transport: transport)
        await withDiscardingTaskGroup { group in
            group.addTask { await self.discovery.run() }
            group.addTask { for await _ in self.discovery.changes { self.change.yield() } }
            change.yield()
            for await _ in changes {
                for loop in reconcile(client: client) {
                    group.addTask { await loop.run() }
                }
            }
            group.cancelAll()
        }
        await client.shutdown()
    }

    /// Compares the targets wanted with the loops there are, stops those no longer wanted, and returns new ones to be run.
    private func reconcile(client: ScrapeClient) -> [ScrapeLoop] {
        let (configuration, before) = state.withLock { ($0.configuration, $0.pools) }
        var pools: [String: Pool] = [:]
        var started: [ScrapeLoop] = []
        for scrape in configuration.scrapes {
            let found = discovery.found(scrape.jobName)
            if let pool = before[scrape.jobName], pool.configuration == scrape, pool.version == found.version {
                pools[scrape.jobName] = pool
                continue
            }
            var pool = Pool(configuration: scrape, version: found.version)
            let wanted = sort(scrape.outcomes(of: found.groups), into: &pool)
            let loops = before[scrape.jobName]?.loops ?? [:]
            // Until a new discovery has answered nobody knows that a target is gone.
            if !found.isComplete { pool.loops = loops }
            for target in wanted where pool.loops[target] == nil {
                if let loop = loops[target] {
                    pool.loops[target] = loop
                } else {
                    let loop = ScrapeLoop(
                        target: target, pool: scrape.jobName, hostName: hostName, client: client, store: store,
                        time: time, logger: logger)
                    pool.loops[target] = loop
                    started.append(loop)
                }
            }
            pools[scrape.jobName] = pool
        }
        var stoppedCount = 0
        for (name, pool) in before {
            for (target, loop) in pool.loops where pools[name]?.loops[target] !== loop {
                loop.stop()
                stoppedCount += 1
            }
        }
        state.withLock { $0.pools = pools }
        if !started.isEmpty || stoppedCount > 0 {
            logger.info(
                "Scrape targets changed", metadata: ["started": "\(started.count)", "stopped": "\(stoppedCount)"])
        }
        return started
    }

    private func sort(_ outcomes: [TargetOutcome], into pool: inout Pool) -> [ScrapeTarget] {
        var wanted: [ScrapeTarget] = []
        let scrape = pool.configuration
        func refuse(_ labels: Labels, _ reason: String, url: String = "") {
            pool.invalid.append(
                TargetSnapshot(
                    scrapePool: scrape.jobName, scrapeURL: url, globalURL: url, labels: Labels(["job": scrape.jobName]),
                    discoveredLabels: labels, interval: scrape.interval, timeout: scrape.timeout, health: .down,
                    lastError: reason))
        }
        for outcome in outcomes {
            switch outcome {
            case .active(let target): wanted.append(target)
            case .dropped(let labels): if pool.dropped.count < Self.droppedCountMax { pool.dropped.append(labels) }
            case .invalid(let labels, let reason): refuse(labels, reason)
            }
        }
        guard scrape.targetLimit == 0 || wanted.count <= scrape.targetLimit else {
            // As in Prometheus every target of the job fails, so that nobody sees a part and takes it for the whole.
            let reason = "target_limit exceeded (number of targets: \(wanted.count), limit: \(scrape.targetLimit))"
            for target in wanted { refuse(target.discoveredLabels, reason, url: target.url) }
            return []
        }
        return wanted
    }

    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let end = buffer.firstIndex(of: 0) ?? buffer.count
        return String(decoding: buffer[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension PrometheusConfiguration {
    /// The discoveries of each job.
    fileprivate var discoveries: [String: [DiscoveryEntry]] {
        Dictionary(scrapes.map { ($0.jobName, $0.discoveries) }) { first, _ in first }
    }
}
