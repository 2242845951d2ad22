import Telemetry

/// `node_softnet_*`: packets that each CPU processed and dropped (`/proc/net/softnet_stat`, hexadecimal columns).
struct SoftnetCollector: HostCollector {
    /// A column, and its family.
    private static let columns: [(index: Int, family: MetricFamily)] = [
        (0, MetricFamily("node_softnet_processed_total", .counter, "Number of processed packets", ["cpu"])),
        (1, MetricFamily("node_softnet_dropped_total", .counter, "Number of dropped packets", ["cpu"])),
        (
            2,
            MetricFamily("node_softnet_times_squeezed_total", .counter, "Number of times processing packets ran out of quota", ["cpu"])
        ),
        (
            8,
            MetricFamily(
                "node_softnet_cpu_collision_total", .counter,
                "Number of collision occur while obtaining device lock while transmitting", ["cpu"])
        ),
        (9, MetricFamily("node_softnet_received_rps_total", .counter, "Number of times cpu woken up received_rps", ["cpu"])),
        (10, MetricFamily("node_softnet_flow_limit_count_total", .counter, "Number of times flow limit has been reached", ["cpu"])),
        (11, MetricFamily("node_softnet_backlog_len", .gauge, "Softnet backlog status", ["cpu"])),
    ]
    /// Where newer kernels tell which CPU a line is about; in older ones the lines count.
    private static let cpuColumn = 12

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var text = try round.net("softnet_stat")
        var line = 0
        while text.nextLine() {
            var values: [Double] = []
            while let field = text.field(), let value = text.hexadecimal(field) { values.append(value) }
            let cpu = String(values.count > Self.cpuColumn ? Int(values[Self.cpuColumn]) : line)
            for column in Self.columns where column.index < values.count { round.recorder.add(column.family, cpu, values[column.index]) }
            line += 1
        }
    }
}
