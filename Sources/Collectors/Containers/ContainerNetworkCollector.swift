import Telemetry

/// `container_network_*`: what passed the devices of a container's network namespace, as one of its processes sees them.
struct ContainerNetworkCollector: ContainerCollector {
    /// A column of `/proc/PID/net/dev`, and its family.
    private static let columns: [(index: Int, family: MetricFamily)] = [
        (0, counter("receive_bytes_total", "Cumulative count of bytes received")),
        (2, counter("receive_errors_total", "Cumulative count of errors encountered while receiving")),
        (3, counter("receive_packets_dropped_total", "Cumulative count of packets dropped while receiving")),
        (1, counter("receive_packets_total", "Cumulative count of packets received")),
        (8, counter("transmit_bytes_total", "Cumulative count of bytes transmitted")),
        (10, counter("transmit_errors_total", "Cumulative count of errors encountered while transmitting")),
        (11, counter("transmit_packets_dropped_total", "Cumulative count of packets dropped while transmitting")),
        (9, counter("transmit_packets_total", "Cumulative count of packets transmitted")),
    ]
    /// Devices that cAdvisor does not count: the loopback, and the host's ends of containers' cables.
    private static let ignoredPrefixes = ["lo", "veth", "docker", "nerdctl"]

    mutating func collect(_ group: Cgroup, _ round: inout ContainerRound) {
        let path: String
        if group.id == "/" {
            path = round.procfs == "/proc" ? "/proc/net/dev" : round.procfs + "/1/net/dev"
        } else {
            guard group.containerID != nil, let process = round.processes.first else { return }
            // A container in the host's namespace would show the host's traffic as its own.
            let own = RealPath.link("\(round.procfs)/\(process)/ns/net")
            guard let own, own != RealPath.link(round.procfs + "/1/ns/net") else { return }
            path = "\(round.procfs)/\(process)/net/dev"
        }
        guard let bytes = try? SystemFile.read(path) else { return }
        var text = TextCursor(bytes)
        while text.nextLine() {
            guard let name = text.upTo(":") else { continue }
            let device = text.text(name)
            guard !Self.ignoredPrefixes.contains(where: { device.hasPrefix($0) }) else { continue }
            var values: [Double] = []
            while let value = text.number() { values.append(value) }
            for column in Self.columns where column.index < values.count { round.recorder.add(column.family, device, values[column.index]) }
        }
    }

    private static func counter(_ name: String, _ help: String) -> MetricFamily {
        MetricFamily("container_network_" + name, .counter, help, ["interface"])
    }
}
