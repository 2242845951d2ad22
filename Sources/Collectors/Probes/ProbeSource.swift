import Logging
import Settings
import Synchronization
import Telemetry

/// Probes one target on an interval and stores what came of it.
final class ProbeSource: BuiltInSource {
    let target: BuiltInTarget
    private let check: ProbeCheck
    private let recorder: Mutex<MetricRecorder>

    init(_ check: ProbeCheck) {
        self.check = check
        target = BuiltInTarget(
            pool: check.labels["job"] ?? ProbeConfiguration.job, url: "apus://probe?module=\(check.module.name)&target=\(check.target)",
            labels: check.labels, interval: check.interval, timeout: check.timeout)
        recorder = Mutex(MetricRecorder(targetLabels: check.labels))
    }

    func measure(at timestamp: Int64) async -> BuiltInMeasurement {
        let outcome = await Prober.run(check.module, target: check.target, timeout: check.timeout)
        return recorder.withLock { recorder in
            outcome.results.record(into: &recorder)
            return BuiltInMeasurement(&recorder, at: timestamp)
        }
    }

    func end(at timestamp: Int64) -> MetricBatch { recorder.withLock { $0.end(at: timestamp) } }
}
