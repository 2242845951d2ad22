import Telemetry

/// `container_cpu_*` (`cpu.stat`).
struct ContainerCPUCollector: ContainerCollector {
    private static let usage = MetricFamily(
        "container_cpu_usage_seconds_total", .counter, "Cumulative cpu time consumed in seconds.", ["cpu"])

    /// A field of microseconds or of a count, its family, and whether it says something without a quota.
    private static let fields: [(name: String, family: MetricFamily, factor: Double, needsQuota: Bool)] = [
        ("user_usec", counter("user_seconds_total", "Cumulative user cpu time consumed in seconds."), 1e-6, false),
        ("system_usec", counter("system_seconds_total", "Cumulative system cpu time consumed in seconds."), 1e-6, false),
        ("nr_periods", counter("cfs_periods_total", "Number of elapsed enforcement period intervals."), 1, true),
        ("nr_throttled", counter("cfs_throttled_periods_total", "Number of throttled period intervals."), 1, true),
        ("throttled_usec", counter("cfs_throttled_seconds_total", "Total time duration the container has been throttled."), 1e-6, true),
        ("nr_bursts", counter("cfs_burst_periods_total", "Number of periods when burst occurs."), 1, true),
        ("burst_usec", counter("cfs_burst_seconds_total", "Total time duration the container has been bursted."), 1e-6, true),
    ]

    mutating func collect(_ group: Cgroup, _ round: inout ContainerRound) {
        guard let statistics = group.fields("cpu.stat") else { return }
        if let microseconds = statistics["usage_usec"] { round.recorder.add(Self.usage, "total", microseconds / 1e6) }
        let hasQuota = ContainerSpecCollector.cpuLimit(group)?.quota != nil
        for field in Self.fields where hasQuota || !field.needsQuota {
            if let value = statistics[field.name] { round.recorder.add(field.family, value * field.factor) }
        }
    }

    private static func counter(_ name: String, _ help: String) -> MetricFamily { MetricFamily("container_cpu_" + name, .counter, help) }
}
