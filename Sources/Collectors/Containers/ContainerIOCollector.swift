import Telemetry

/// `container_fs_*`, `container_blkio_device_usage_total` (`io.stat`).
struct ContainerIOCollector: ContainerCollector {
    private static let fields: [(name: String, family: MetricFamily)] = [
        ("rbytes", counter("reads_bytes_total", "Cumulative count of bytes read")),
        ("rios", counter("reads_total", "Cumulative count of reads completed")),
        ("wbytes", counter("writes_bytes_total", "Cumulative count of bytes written")),
        ("wios", counter("writes_total", "Cumulative count of writes completed")),
    ]
    private static let usage = MetricFamily(
        "container_blkio_device_usage_total", .counter, "Blkio Device bytes usage", ["device", "major", "minor", "operation"])

    /// `/dev/sda` by `8:0`.
    private var devices: [String: String] = [:]

    mutating func collect(_ group: Cgroup, _ round: inout ContainerRound) {
        guard let bytes = group.file("io.stat") else { return }
        var text = TextCursor(bytes)
        while text.nextLine() {
            guard let numbers = text.text(), case let parts = numbers.split(separator: ":"), parts.count == 2 else { continue }
            let device = device(numbers, round.sysfs)
            var figures: [String: Double] = [:]
            while let field = text.text() {
                guard let equals = field.firstIndex(of: "="), let value = Double(field[field.index(after: equals)...]) else { continue }
                figures[String(field[..<equals])] = value
            }
            for field in Self.fields {
                if let value = figures[field.name] { round.recorder.add(field.family, device, value) }
            }
            for (name, operation) in [("rbytes", "Read"), ("wbytes", "Write")] {
                if let value = figures[name] { round.recorder.add(Self.usage, [device, String(parts[0]), String(parts[1]), operation], value) }
            }
        }
    }

    private mutating func device(_ numbers: String, _ sysfs: String) -> String {
        if let known = devices[numbers] { return known }
        if devices.count >= 4_096 { devices.removeAll() }
        let path = RealPath.of("\(sysfs)/dev/block/\(numbers)") ?? ""
        let device = path.split(separator: "/").last.map { "/dev/" + $0 } ?? numbers
        devices[numbers] = device
        return device
    }

    private static func counter(_ name: String, _ help: String) -> MetricFamily {
        MetricFamily("container_fs_" + name, .counter, help, ["device"])
    }
}
