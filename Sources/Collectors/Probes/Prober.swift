import Settings
import Telemetry

/// Runs one probe: within its time, and with the series that every probe has.
package enum Prober {
    private static let success = MetricFamily("probe_success", .gauge, "Displays whether or not the probe was a success")
    private static let duration = MetricFamily(
        "probe_duration_seconds", .gauge, "Returns how long the probe took to complete in seconds")
    private static let timeoutFamily = MetricFamily("probe_timeout_seconds", .gauge, "Returns how long the probe timeout is in seconds")

    /// Where neither the module nor whoever asks names a time (blackbox exporter's).
    package static let timeoutDefault = Duration.seconds(120)

    /// The time that a probe may take.
    ///
    /// - Parameter asked: how long whoever asks will wait, a margin for the answer taken off.
    package static func timeout(of module: ProbeModule, asked: Duration?) -> Duration {
        let asked = asked ?? timeoutDefault
        guard let own = module.timeout else { return max(asked, .milliseconds(1)) }
        return asked > .zero ? min(own, asked) : own
    }

    /// The series of a probe in Prometheus' text format, and what happened, for people.
    package struct Report: Sendable {
        package var text: [UInt8]
        package var log: [String]
        package var isSuccessful: Bool
    }

    /// Probes `target` and puts what came of it into words.
    ///
    /// - Parameter hostName: what stands for the target's name in HTTP and TLS.
    package static func report(_ module: ProbeModule, target: String, timeout: Duration, hostName: String? = nil) async -> Report {
        let outcome = await run(module, target: target, timeout: timeout, hostName: hostName)
        var recorder = MetricRecorder()
        outcome.results.record(into: &recorder)
        return Report(text: recorder.text, log: outcome.results.lines, isSuccessful: outcome.isSuccessful)
    }

    static func run(
        _ module: ProbeModule, target: String, timeout: Duration, hostName: String? = nil
    ) async -> (results: ProbeResults, isSuccessful: Bool) {
        let start = ContinuousClock.now
        let ended = await withTaskGroup(of: Ended?.self) { group in
            group.addTask { await probe(module, target, hostName) }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return nil
            }
            var ended: Ended?
            // The first to end decides; a probe that is cancelled tells how far it got.
            if let first = await group.next() { ended = first }
            let isLate = ended == nil
            group.cancelAll()
            while let next = await group.next() { ended = ended ?? next }
            if isLate { ended?.failure = ProbeFailure("no answer within \(timeout.seconds) s") }
            return ended
        }
        var results = ended?.results ?? ProbeResults()
        let seconds = (ContinuousClock.now - start).seconds
        if let failure = ended?.failure { results.log("Probe failed", ["err": "\(failure)"]) } else { results.log("Probe succeeded") }
        let isSuccessful = ended.map { $0.failure == nil } ?? false
        results.set(success, isSuccessful ? 1 : 0)
        results.set(duration, seconds)
        results.set(timeoutFamily, timeout.seconds)
        return (results, isSuccessful)
    }

    private struct Ended: Sendable {
        var results: ProbeResults
        var failure: (any Error)?
    }

    @concurrent
    private static func probe(_ module: ProbeModule, _ target: String, _ hostName: String?) async -> Ended {
        var results = ProbeResults()
        results.log("Beginning probe", ["module": module.name, "target": target])
        do {
            switch module.prober {
            case .http(let options): try await HTTPProbe.run(options, target: target, hostHeader: hostName, &results)
            case .tcp(var options):
                if options.tls.serverName.isEmpty { options.tls.serverName = hostName ?? "" }
                try await TCPProbe.run(options, target: target, &results)
            case .dns(let options): try await DNSProbe.run(options, target: target, &results)
            case .icmp(let options): try await ICMPProbe.run(options, target: target, &results)
            }
            return Ended(results: results)
        } catch {
            return Ended(results: results, failure: error)
        }
    }
}
