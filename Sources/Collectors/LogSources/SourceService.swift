package import Logging
import ServiceLifecycle
import Synchronization
import Telemetry

/// Runs sources until the service group shuts down: each is started again when it ends, more and more rarely while it fails.
package final class SourceService: Service {
    private struct State: Sendable {
        var wanted: [String: any LogSource] = [:]
    }

    private let state = Mutex(State())
    private let changed = WakeUp()
    private let metrics: SourceMetrics
    private let logger: Logger

    package init(metrics: SourceMetrics, logger: Logger) {
        self.metrics = metrics
        self.logger = logger
    }

    /// Runs these sources and no others, each told from the rest by its key: one whose key stays goes on undisturbed.
    package func apply(_ sources: [String: any LogSource]) {
        state.withLock { $0.wanted = sources }
        changed.send()
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.runUntilCancelled() }
    }

    private func runUntilCancelled() async {
        await withDiscardingTaskGroup { group in
            // By key, what ends its task.
            var running: [String: WakeUp] = [:]
            while !Task.isCancelled {
                let wanted = state.withLock { $0.wanted }
                for (key, stop) in running where wanted[key] == nil {
                    stop.send()
                    running[key] = nil
                }
                for (key, source) in wanted where running[key] == nil {
                    let stop = WakeUp()
                    running[key] = stop
                    group.addTask { await self.keepRunning(source, until: stop) }
                }
                metrics.set("promtail_targets_active_total", Double(wanted.count))
                await changed.wait(atMost: .seconds(60))
            }
            group.cancelAll()
        }
    }

    private func keepRunning(_ source: any LogSource, until stop: WakeUp) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                var failureCount = 0
                while !Task.isCancelled {
                    let start = ContinuousClock.now
                    do {
                        try await source.run()
                    } catch {
                        if Task.isCancelled { return }
                        if start.duration(to: .now) > .seconds(60) { failureCount = 0 }
                        failureCount += 1
                        if failureCount == 1 || failureCount.isMultiple(of: 20) {
                            self.logger.error(
                                "A source of logs has failed: trying again", metadata: ["source": .string(source.title), "error": "\(error)"])
                        }
                    }
                    try? await Task.sleep(for: Backoff.pause(max(failureCount, 1)))
                }
            }
            group.addTask { while await !stop.waited(atMost: .seconds(600)), !Task.isCancelled {} }
            await group.next()
            group.cancelAll()
        }
    }
}
