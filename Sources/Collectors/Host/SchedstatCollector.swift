import Telemetry

/// `node_schedstat_*`: how long each CPU ran tasks and let them wait (`/proc/schedstat`).
struct SchedstatCollector: HostCollector {
    private static let running = MetricFamily(
        "node_schedstat_running_seconds_total", .counter, "Number of seconds CPU spent running a process.", ["cpu"])
    private static let waiting = MetricFamily(
        "node_schedstat_waiting_seconds_total", .counter, "Number of seconds spent by processing waiting for this CPU.", ["cpu"])
    private static let timeslices = MetricFamily(
        "node_schedstat_timeslices_total", .counter, "Number of timeslices executed by CPU.", ["cpu"])

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var text = try round.proc("schedstat")
        while text.nextLine() {
            guard let name = text.field(), text.hasPrefix(name, "cpu") else { continue }
            // Of the nine columns the last three are: nanoseconds running, nanoseconds waiting, timeslices.
            text.skip(6)
            guard let running = text.number(), let waiting = text.number(), let slices = text.number() else { continue }
            let cpu = text.text(name.lowerBound + 3..<name.upperBound)
            round.recorder.add(Self.running, cpu, running / 1e9)
            round.recorder.add(Self.waiting, cpu, waiting / 1e9)
            round.recorder.add(Self.timeslices, cpu, slices)
        }
    }
}
