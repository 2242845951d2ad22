import Telemetry

/// `container_pressure_*`: how long the tasks of a group waited for a resource (`*.pressure`).
struct ContainerPressureCollector: ContainerCollector {
    private static let resources: [(file: String, stalled: MetricFamily, waiting: MetricFamily)] = [
        ("cpu", "CPU"), ("memory", "memory"), ("io", "IO"),
    ].map { resource, word in
        (
            resource + ".pressure",
            MetricFamily(
                "container_pressure_\(resource)_stalled_seconds_total", .counter,
                "Total time duration no tasks in the container could make progress due to \(word) congestion."),
            MetricFamily(
                "container_pressure_\(resource)_waiting_seconds_total", .counter,
                "Total time duration tasks in the container have waited due to \(word) congestion.")
        )
    }

    mutating func collect(_ group: Cgroup, _ round: inout ContainerRound) {
        for resource in Self.resources {
            guard let bytes = group.file(resource.file) else { continue }
            let pressure = Pressure(bytes)
            if let seconds = pressure.full { round.recorder.add(resource.stalled, seconds) }
            if let seconds = pressure.some { round.recorder.add(resource.waiting, seconds) }
        }
    }
}
