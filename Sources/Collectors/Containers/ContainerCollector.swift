/// One part of what is measured of a container.
protocol ContainerCollector: Sendable {
    /// - Parameter round: its recorder's owner is the container.
    mutating func collect(_ group: Cgroup, _ round: inout ContainerRound)
}

/// What a collector is given beside the group.
struct ContainerRound: Sendable {
    let procfs: String
    let sysfs: String
    var recorder: MetricRecorder
    /// Nanoseconds since the Unix epoch.
    var now: Int64 = 0
    /// The processes of the group at hand.
    var processes: [String] = []
    /// What the runtime says of it.
    var container: DockerContainer?
}

/// Every collector there is. To add one: write its file, and a line here.
enum ContainerCollectorTable {
    static func make() -> [any ContainerCollector] {
        [
            ContainerSpecCollector(), ContainerCPUCollector(), ContainerMemoryCollector(), ContainerIOCollector(),
            ContainerNetworkCollector(), ContainerPressureCollector(), ContainerProcessCollector(),
        ]
    }
}
