import Glibc
package import Logging
import ServiceLifecycle
import Settings
import Synchronization
package import Telemetry

/// Scrapes the targets of a `prometheus.yml`, each at its own place within its interval, and keeps up with configuration and
/// discovered files.
package final class ScrapeManager: Service {
    /// The loops of one job.
    private struct Pool: Sendable {
        var configuration: ScrapeConfiguration
        var loops: [ScrapeTarget: ScrapeLoop] = [:]
        var dropped: [Labels] = []
        /// How many were dropped, shown or not.
        var droppedCount = 0
        /// Targets that cannot be scraped, and why.
        var invalid: [TargetSnapshot] = []
    }

    private struct State: Sendable {
        var configuration: PrometheusConfiguration
        var pools: [String: Pool] = [:]
    }

    /// How often the files of `file_sd_configs` are looked at.
    private static let discoveryInterval = Duration.seconds(5)
    /// Dropped targets shown of a job that sets no `keep_dropped_targets`: a cluster's discovery may drop tens of thousands.
    private static let droppedCountMax = 10_000

    private let store: any TelemetryStore
    private let time: TimeSource
    private let logger: Logger
    private let userAgent: String
    private let hostName: String
    private let state: Mutex<State>
    private let budgets = Budgets()
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
        self.userAgent = userAgent
        hostName = Self.hostName()
        state = Mutex(State(configuration: configuration))
        (changes, change) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes a new configuration. Targets that it does not change go on undisturbed; the series of those that are gone get
    /// staleness markers.
    package func apply(_ configuration: PrometheusConfiguration) {
        state.withLock { $0.configuration = configuration }
        change.yield()
    }

    /// The jobs in the order of the configuration, with their targets.
    package func targets() -> [ScrapePool] {
        let (configurations, pools) = state.withLock { ($0.configuration.scrapes, $0.pools) }
        return configurations.compactMap { configuration in
            pools[configuration.jobName].map { pool in
                let active = pool.loops.values.map(\.snapshot) + pool.invalid
                return ScrapePool(
                    name: configuration.jobName,
                    active: active.sorted { ($0.scrapeURL, $0.labels) < ($1.scrapeURL, $1.labels) },
                    dropped: pool.dropped, droppedCount: pool.droppedCount)
            }
        }
    }

    /// What exceeded a budget since the start.
    package var budgetFigures: ScrapeBudgetFigures { budgets.figures }

    /// The rules of a job for its targets; nil where there is no such job.
    package func relabelRules(of job: String) -> [RelabelRule]? {
        state.withLock { $0.configuration.scrapes.first { $0.jobName == job }?.relabelRules }
    }

    /// A job's configuration in YAML, without secrets; nil where there is no such job.
    package func yaml(of job: String) -> String? {
        state.withLock { $0.configuration.scrapes.first { $0.jobName == job }?.yaml }
    }

    /// Of every target being scraped, its labels and what is known of the families that it exposes.
    package func metadata() -> [(target: Labels, families: [MetricMetadata])] {
        let (configurations, pools) = state.withLock { ($0.configuration.scrapes, $0.pools) }
        return configurations.flatMap { configuration in
            (pools[configuration.jobName]?.loops.values.sorted { ($0.target.url, $0.target.labels) < ($1.target.url, $1.target.labels) } ?? [])
                .map { ($0.target.labels, $0.families) }
        }
    }

    /// Scrapes until the service group shuts down.
    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.runUntilCancelled() }
    }

    private func runUntilCancelled() async {
        let client = ScrapeClient(userAgent: userAgent)
        await withDiscardingTaskGroup { group in
            group.addTask {
                while (try? await Task.sleep(for: Self.discoveryInterval)) != nil {
                    let hasFiles = self.state.withLock {
                        $0.configuration.scrapes.contains { !$0.fileDiscoveries.isEmpty }
                    }
                    if hasFiles { self.change.yield() }
                }
            }
            var discovered = DiscoveredFiles()
            change.yield()
            for await _ in changes {
                for loop in reconcile(client: client, discovered: &discovered) {
                    group.addTask { await loop.run() }
                }
            }
            group.cancelAll()
        }
        await client.shutdown()
    }

    /// Compares the targets wanted with the loops there are, stops those no longer wanted, and returns new ones to be run.
    private func reconcile(client: ScrapeClient, discovered: inout DiscoveredFiles) -> [ScrapeLoop] {
        let (configuration, before) = state.withLock { ($0.configuration, $0.pools) }
        var pools: [String: Pool] = [:]
        var started: [ScrapeLoop] = []
        for scrape in configuration.scrapes {
            var groups = scrape.staticGroups
            for discovery in scrape.fileDiscoveries { groups += discovered.groups(of: discovery, logger: logger) }
            var pool = Pool(configuration: scrape)
            let wanted = sort(scrape.outcomes(of: groups), into: &pool)
            let loops = before[scrape.jobName]?.loops ?? [:]
            for target in wanted where pool.loops[target] == nil {
                if let loop = loops[target] {
                    pool.loops[target] = loop
                } else {
                    let loop = ScrapeLoop(
                        target: target, pool: scrape.jobName, hostName: hostName, client: client, store: store,
                        time: time, logger: logger,
                        countBudget: { [budgets] scope, samples in budgets.add(scope, of: scrape.jobName, samples: samples) })
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
            case .dropped(let labels):
                let limit = scrape.keptDroppedTargetCountMax > 0 ? scrape.keptDroppedTargetCountMax : Self.droppedCountMax
                if pool.dropped.count < limit { pool.dropped.append(labels) }
                pool.droppedCount += 1
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

/// What the files of `file_sd_configs` said last.
struct DiscoveredFiles {
    private var groups: [String: [TargetGroup]] = [:]
    private var failures: [String: ConfigurationError] = [:]

    /// The groups of a discovery now. A file that cannot be read or is broken keeps what it said before, as in Prometheus.
    mutating func groups(of discovery: FileDiscovery, logger: Logger) -> [TargetGroup] {
        var result: [TargetGroup] = []
        for path in Set(discovery.files.flatMap(FileGlob.files)).sorted() {
            do throws(ConfigurationError) {
                var read: [TargetGroup] = []
                // JSON is YAML, too.
                for node in try ConfigurationNode.load(path: path).list {
                    var group = try TargetGroup(node)
                    group.labels["__meta_filepath"] = path
                    read.append(group)
                }
                groups[path] = read
                failures[path] = nil
            } catch {
                if failures[path] != error {
                    logger.error("A file of targets cannot be used", metadata: ["error": "\(error)"])
                }
                failures[path] = error
            }
            result += groups[path] ?? []
        }
        return result
    }
}
