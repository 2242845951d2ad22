import Telemetry

/// `container_processes`, `container_threads`, `container_threads_max`, `container_file_descriptors`.
struct ContainerProcessCollector: ContainerCollector {
    private static let processes = MetricFamily("container_processes", .gauge, "Number of processes running inside the container.")
    private static let threads = MetricFamily("container_threads", .gauge, "Number of threads running inside the container")
    private static let threadsMax = MetricFamily(
        "container_threads_max", .gauge, "Maximum number of threads allowed inside the container, infinity if value is zero")
    private static let descriptors = MetricFamily(
        "container_file_descriptors", .gauge, "Number of open file descriptors for the container.")
    /// Descriptors are counted by listing a folder a process: of a group with more processes that is not worth it.
    private static let processCountMax = 256

    mutating func collect(_ group: Cgroup, _ round: inout ContainerRound) {
        if let threads = group.number("pids.current") {
            round.recorder.add(Self.threads, threads)
            if let limit = group.limit("pids.max") { round.recorder.add(Self.threadsMax, limit) }
        }
        // Slices hold groups, not processes.
        guard group.id != "/", !round.processes.isEmpty else { return }
        round.recorder.add(Self.processes, Double(round.processes.count))
        guard round.processes.count <= Self.processCountMax else { return }
        var count = 0
        for process in round.processes { count += SystemFile.count("\(round.procfs)/\(process)/fd") ?? 0 }
        round.recorder.add(Self.descriptors, Double(count))
    }
}
