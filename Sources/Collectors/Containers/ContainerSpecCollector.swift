import Glibc
import Telemetry

/// `container_spec_*`, `container_start_time_seconds`, `container_creation_time_seconds`, `container_last_seen`.
struct ContainerSpecCollector: ContainerCollector {
    private static let lastSeen = MetricFamily("container_last_seen", .gauge, "Last time a container was seen by the exporter")
    private static let created = MetricFamily(
        "container_creation_time_seconds", .gauge, "Container creation time since unix epoch in seconds.")
    private static let started = MetricFamily(
        "container_start_time_seconds", .gauge, "Start time of the container since unix epoch in seconds.")
    private static let period = MetricFamily("container_spec_cpu_period", .gauge, "CPU period of the container.")
    private static let quota = MetricFamily("container_spec_cpu_quota", .gauge, "CPU quota of the container.")
    private static let shares = MetricFamily("container_spec_cpu_shares", .gauge, "CPU share of the container.")
    private static let memoryLimit = MetricFamily("container_spec_memory_limit_bytes", .gauge, "Memory limit for the container.")
    private static let swapLimit = MetricFamily("container_spec_memory_swap_limit_bytes", .gauge, "Memory swap limit for the container.")
    private static let reservation = MetricFamily(
        "container_spec_memory_reservation_limit_bytes", .gauge, "Memory reservation limit for the container.")

    mutating func collect(_ group: Cgroup, _ round: inout ContainerRound) {
        round.recorder.add(Self.lastSeen, Double(round.now / 1_000_000_000))
        if let created = Self.created(group) {
            round.recorder.add(Self.created, created)
            round.recorder.add(Self.started, round.container?.startedAt ?? created)
        }
        if let limit = Self.cpuLimit(group) {
            round.recorder.add(Self.period, limit.period)
            if let quota = limit.quota { round.recorder.add(Self.quota, quota) }
        }
        if let weight = group.number("cpu.weight"), weight > 0 {
            // The inverse of what runtimes do with the shares of version 1 (OCI runtime specification, config-linux, "cpu.weight").
            round.recorder.add(Self.shares, (2 + (weight - 1) * 262_142 / 9_999).rounded(.down))
        }
        guard let limit = group.limit("memory.max") else { return }
        round.recorder.add(Self.memoryLimit, limit)
        round.recorder.add(Self.swapLimit, group.limit("memory.swap.max") ?? 0)
        round.recorder.add(Self.reservation, group.limit("memory.min") ?? 0)
    }

    /// `cpu.max`: microseconds that the group may run in each period, both in microseconds; no quota for `max`.
    static func cpuLimit(_ group: Cgroup) -> (quota: Double?, period: Double)? {
        guard let text = SystemFile.text(group.folder + "/cpu.max") else { return nil }
        let parts = text.split(separator: " ")
        guard parts.count == 2, let period = Double(parts[1]) else { return nil }
        return (Double(parts[0]), period)
    }

    /// The older of two times, for making a group inside another changes its folder's.
    private static func created(_ group: Cgroup) -> Double? {
        let times = [group.folder, group.folder + "/cgroup.events"].compactMap { path -> Int? in
            var status = stat()
            return stat(path, &status) == 0 ? status.st_mtim.tv_sec : nil
        }
        return times.min().map { Double($0) }
    }
}
