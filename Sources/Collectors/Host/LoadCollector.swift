import Telemetry

/// `node_load1`, `node_load5`, `node_load15`.
struct LoadCollector: HostCollector {
    private static let families = [
        MetricFamily("node_load1", .gauge, "1m load average."), MetricFamily("node_load5", .gauge, "5m load average."),
        MetricFamily("node_load15", .gauge, "15m load average."),
    ]

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var text = try round.proc("loadavg")
        guard text.nextLine() else { throw .failed("\(round.paths.procfs)/loadavg is empty") }
        for family in Self.families {
            guard let load = text.number() else { throw .failed("\(round.paths.procfs)/loadavg has fewer than three numbers") }
            round.recorder.add(family, load)
        }
    }
}
