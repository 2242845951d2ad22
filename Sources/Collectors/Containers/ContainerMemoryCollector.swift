import Telemetry

/// `container_memory_*`, `container_oom_events_total` (`memory.*`).
struct ContainerMemoryCollector: ContainerCollector {
    private static let usage = gauge("usage_bytes", "Current memory usage in bytes, including all memory regardless of when it was accessed")
    private static let maximum = gauge("max_usage_bytes", "Maximum memory usage recorded in bytes")
    private static let workingSet = gauge("working_set_bytes", "Current working set in bytes.")
    private static let swap = gauge("swap", "Container swap usage in bytes.")
    private static let failures = MetricFamily("container_memory_failcnt", .counter, "Number of memory usage hits limits")
    private static let pageFaults = MetricFamily(
        "container_memory_failures_total", .counter, "Cumulative count of memory allocation failures.", ["failure_type", "scope"])
    private static let kills = MetricFamily(
        "container_oom_events_total", .counter, "Count of out of memory events observed for the container")
    private static let high = MetricFamily(
        "container_memory_events_high_total", .counter, "Cumulative count of memory.high throttle events for the container")
    private static let limitHits = MetricFamily(
        "container_memory_events_max_total", .counter, "Cumulative count of memory.max limit hit events for the container")

    /// Fields of `memory.stat` that are figures of their own.
    private static let fields: [(name: String, family: MetricFamily)] = [
        ("file", gauge("cache", "Number of bytes of page cache memory.")), ("anon", gauge("rss", "Size of RSS in bytes.")),
        ("kernel", gauge("kernel_usage", "Size of kernel memory allocated in bytes.")),
        ("file_mapped", gauge("mapped_file", "Size of memory mapped files in bytes.")),
        ("active_file", gauge("total_active_file_bytes", "Current total active file in bytes.")),
        ("inactive_file", gauge("total_inactive_file_bytes", "Current total inactive file in bytes.")),
        ("file_dirty", gauge("file_dirty_bytes", "Number of bytes of file cache that has been modified but not yet written back to disk.")),
        ("file_writeback", gauge("file_writeback_bytes", "Number of bytes of file cache that is currently being written back to disk.")),
        ("pgscan", counter("pgscan_total", "Cumulative number of pages scanned by the page reclaim algorithm.")),
        ("pgsteal", counter("pgsteal_total", "Cumulative number of pages reclaimed by the page reclaim algorithm.")),
        (
            "workingset_refault_file",
            counter("workingset_refault_file_total", "Cumulative number of refaults of previously evicted file pages.")
        ),
        (
            "workingset_refault_anon",
            counter("workingset_refault_anon_total", "Cumulative number of refaults of previously evicted anonymous pages.")
        ),
    ]

    mutating func collect(_ group: Cgroup, _ round: inout ContainerRound) {
        guard let statistics = group.fields("memory.stat") else { return }
        // The root has no such file; what it uses is what the machine uses.
        let usage = group.number("memory.current") ?? rootUsage(group, statistics)
        if let usage {
            round.recorder.add(Self.usage, usage)
            round.recorder.add(Self.workingSet, max(0, usage - (statistics["inactive_file"] ?? 0)))
        }
        if let peak = group.number("memory.peak") { round.recorder.add(Self.maximum, peak) }
        if let swap = group.number("memory.swap.current") { round.recorder.add(Self.swap, swap) }
        for field in Self.fields {
            if let value = statistics[field.name] { round.recorder.add(field.family, value) }
        }
        for type in ["pgfault", "pgmajfault"] {
            guard let count = statistics[type] else { continue }
            for scope in ["container", "hierarchy"] { round.recorder.add(Self.pageFaults, type, scope, count) }
        }
        guard let events = group.fields("memory.events") else { return }
        if let count = events["high"] { round.recorder.add(Self.high, count) }
        if let count = events["max"] {
            round.recorder.add(Self.limitHits, count)
            round.recorder.add(Self.failures, count)
        }
        if let count = events["oom_kill"] { round.recorder.add(Self.kills, count) }
    }

    private func rootUsage(_ group: Cgroup, _ statistics: [String: Double]) -> Double? {
        guard group.id == "/", let anonymous = statistics["anon"], let file = statistics["file"] else { return nil }
        return anonymous + file
    }

    private static func gauge(_ name: String, _ help: String) -> MetricFamily { MetricFamily("container_memory_" + name, .gauge, help) }
    private static func counter(_ name: String, _ help: String) -> MetricFamily { MetricFamily("container_memory_" + name, .counter, help) }
}
