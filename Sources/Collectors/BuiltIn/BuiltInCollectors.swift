package import Logging
import ServiceLifecycle
import Settings
import Synchronization
package import Telemetry

/// Runs what Apus measures by itself (the host, containers, probes) and keeps up with the configuration.
package final class BuiltInCollectors: Service {
    private struct State {
        var configuration: BuiltInConfiguration
        var loops: [BuiltInSourceConfiguration: BuiltInLoop] = [:]
    }

    private let store: any TelemetryStore
    private let time: TimeSource
    private let logger: Logger
    private let state: Mutex<State>
    /// One element whenever the configuration may have changed.
    private let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    package init(configuration: BuiltInConfiguration, store: any TelemetryStore, time: TimeSource = .system, logger: Logger) {
        self.store = store
        self.time = time
        self.logger = logger
        state = Mutex(State(configuration: configuration))
        (changes, change) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes a new configuration. Sources that it does not change go on undisturbed; the series of those that are gone get staleness
    /// markers.
    package func apply(_ configuration: BuiltInConfiguration) {
        state.withLock { $0.configuration = configuration }
        change.yield()
    }

    /// The modules that probes may name.
    package var modules: [String: ProbeModule] { state.withLock { $0.configuration.probes.modules } }

    /// What runs, as pools of scrape targets.
    package func targets() -> [ScrapePool] {
        let snapshots = state.withLock { state in state.configuration.sources.compactMap { state.loops[$0]?.snapshot } }
        return Dictionary(grouping: snapshots, by: \.scrapePool).sorted { $0.key < $1.key }.map {
            ScrapePool(name: $0.key, active: $0.value.sorted { $0.scrapeURL < $1.scrapeURL }, dropped: [], droppedCount: 0)
        }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.runUntilCancelled() }
    }

    private func runUntilCancelled() async {
        await withDiscardingTaskGroup { group in
            change.yield()
            for await _ in changes {
                for loop in reconcile() { group.addTask { await loop.run() } }
            }
            group.cancelAll()
        }
    }

    /// Stops the loops that are no longer wanted and returns new ones to be run.
    private func reconcile() -> [BuiltInLoop] {
        state.withLock { state in
            var loops: [BuiltInSourceConfiguration: BuiltInLoop] = [:]
            var started: [BuiltInLoop] = []
            for source in state.configuration.sources where loops[source] == nil {
                if let running = state.loops[source] {
                    loops[source] = running
                } else {
                    let loop = BuiltInLoop(source: make(source), store: store, time: time, logger: logger)
                    loops[source] = loop
                    started.append(loop)
                }
            }
            for (source, loop) in state.loops where loops[source] == nil { loop.stop() }
            state.loops = loops
            return started
        }
    }

    private func make(_ source: BuiltInSourceConfiguration) -> any BuiltInSource {
        switch source {
        case .host(let configuration): HostMetrics(configuration: configuration, time: time, logger: logger)
        case .containers(let configuration): ContainerMetrics(configuration: configuration, time: time, logger: logger)
        case .probe(let check): ProbeSource(check)
        }
    }
}
