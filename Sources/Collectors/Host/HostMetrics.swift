import Logging
import NIOPosix
import Settings
import Synchronization
import Telemetry

/// Measures the machine that Apus runs on under node exporter's names.
final class HostMetrics: BuiltInSource {
    private static let success = MetricFamily(
        "node_scrape_collector_success", .gauge, "node_exporter: Whether a collector succeeded.", ["collector"])
    private static let duration = MetricFamily(
        "node_scrape_collector_duration_seconds", .gauge, "node_exporter: Duration of a collector scrape.", ["collector"])

    private struct State {
        var round: HostRound
        var collectors: [(name: String, collector: any HostCollector)]
        /// The collectors that failed last time: what they say is logged once.
        var failed: Set<String> = []
    }

    let target: BuiltInTarget
    private let time: TimeSource
    private let logger: Logger
    private let state: Mutex<State>

    init(configuration: HostMetricsConfiguration, time: TimeSource, logger: Logger) {
        self.time = time
        self.logger = logger
        target = BuiltInTarget(
            pool: configuration.labels["job"] ?? HostMetricsConfiguration.job, url: "apus://host", labels: configuration.labels,
            interval: configuration.interval, timeout: configuration.interval)
        let entries = HostCollectorTable.entries.filter { configuration.collectors.contains($0.name) }
        state = Mutex(
            State(
                round: HostRound(paths: configuration.paths, recorder: MetricRecorder(targetLabels: configuration.labels)),
                collectors: entries.map { ($0.name, $0.make(configuration)) }))
    }

    func measure(at timestamp: Int64) async -> BuiltInMeasurement {
        // Files of the kernel are read by blocking calls: on a thread that is there for such.
        let measured = try? await NIOThreadPool.singleton.runIfActive { self.measureNow(at: timestamp) }
        return measured ?? BuiltInMeasurement(failure: "no thread to read files on: the process ends", batch: MetricBatch())
    }

    func end(at timestamp: Int64) -> MetricBatch {
        state.withLock { $0.round.recorder.end(at: timestamp) }
    }

    /// One round of all collectors, one after the other.
    func measureNow(at timestamp: Int64) -> BuiltInMeasurement {
        state.withLock { state in
            state.round.begin(at: time.nanoseconds)
            for index in state.collectors.indices {
                let name = state.collectors[index].name
                let start = ContinuousClock.now
                var isSuccessful = true
                do throws(HostCollectorError) {
                    try state.collectors[index].collector.collect(&state.round)
                    state.failed.remove(name)
                } catch {
                    isSuccessful = false
                    if case .failed(let reason) = error, state.failed.insert(name).inserted {
                        logger.warning("A collector of host metrics failed", metadata: ["collector": .string(name), "error": .string(reason)])
                    }
                }
                state.round.recorder.add(Self.duration, name, (ContinuousClock.now - start).seconds)
                state.round.recorder.add(Self.success, name, isSuccessful ? 1 : 0)
            }
            return BuiltInMeasurement(&state.round.recorder, at: timestamp)
        }
    }
}
