import Telemetry

/// `node_nvme_*`: NVMe controllers and their namespaces (`/sys/class/nvme`).
struct NVMeCollector: HostCollector {
    private static let info = MetricFamily(
        "node_nvme_info", .gauge, "Non-numeric data from /sys/class/nvme/<device>, value is always 1.",
        ["device", "firmware_revision", "model", "serial", "state", "cntlid"])
    private static let namespaceInfo = MetricFamily(
        "node_nvme_namespace_info", .gauge, "Information about NVMe namespaces. Value is always 1", ["device", "nsid", "ana_state"])
    private static let capacity = MetricFamily(
        "node_nvme_namespace_capacity_bytes", .gauge,
        "Capacity of the NVMe namespace in bytes. Computed as namespace_size * namespace_logical_block_size", ["device", "nsid"])
    private static let size = MetricFamily(
        "node_nvme_namespace_size_bytes", .gauge,
        "Size of the NVMe namespace in bytes. Available in /sys/class/nvme/<device>/<namespace>/size", ["device", "nsid"])
    private static let used = MetricFamily(
        "node_nvme_namespace_used_bytes", .gauge,
        "Used space of the NVMe namespace in bytes. Available in /sys/class/nvme/<device>/<namespace>/nuse", ["device", "nsid"])
    private static let blockSize = MetricFamily(
        "node_nvme_namespace_logical_block_size_bytes", .gauge,
        "Logical block size of the NVMe namespace in bytes. Usually 4Kb. "
            + "Available in /sys/class/nvme/<device>/<namespace>/queue/logical_block_size", ["device", "nsid"])

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        let folder = round.paths.sysfs + "/class/nvme"
        guard let devices = SystemFile.names(folder) else { throw .noData }
        for device in devices {
            let path = "\(folder)/\(device)/"
            func text(_ file: String) -> String { SystemFile.text(path + file) ?? "" }
            round.recorder.add(
                Self.info, [device, text("firmware_rev"), text("model"), text("serial"), text("state"), text("cntlid")], 1)
            for name in SystemFile.names(path) ?? [] {
                // nvme0n1, or nvme0c0n1 where there are several paths.
                guard name.hasPrefix(device), let n = name.lastIndex(of: "n"), name.distance(from: name.startIndex, to: n) >= device.count,
                    case let number = String(name[name.index(after: n)...]), Int(number) != nil
                else { continue }
                space(path + name + "/", device, number, &round)
            }
        }
    }

    private func space(_ path: String, _ device: String, _ number: String, _ round: inout HostRound) {
        let block = SystemFile.number(path + "queue/logical_block_size") ?? 512
        round.recorder.add(Self.namespaceInfo, [device, number, SystemFile.text(path + "ana_state") ?? ""], 1)
        // `size` counts sectors of 512 bytes, `nuse` logical blocks.
        if let sectors = SystemFile.number(path + "size") {
            round.recorder.add(Self.capacity, device, number, sectors * 512)
            round.recorder.add(Self.size, device, number, sectors * 512)
        }
        if let blocks = SystemFile.number(path + "nuse") { round.recorder.add(Self.used, device, number, blocks * block) }
        round.recorder.add(Self.blockSize, device, number, block)
    }
}
