import Patterns
import Telemetry

/// `node_network_up`, `node_network_info`, `node_network_mtu_bytes` and the like: how each network device is set (`/sys/class/net`).
struct NetClassCollector: HostCollector {
    private static let up = MetricFamily(
        "node_network_up", .gauge, "Value is 1 if operstate is 'up', 0 otherwise.", ["device"])
    private static let info = MetricFamily(
        "node_network_info", .gauge, "Non-numeric data from /sys/class/net/<iface>, value is always 1.",
        ["device", "address", "broadcast", "duplex", "operstate", "adminstate", "ifalias"])

    /// A file that holds a number, decimal or after `0x`.
    private struct Field: Sendable {
        var file: String
        var family: MetricFamily
        var factor = 1.0

        init(_ file: String, _ name: String, isCounter: Bool = false, factor: Double = 1) {
            self.file = file
            self.factor = factor
            family = MetricFamily(
                "node_network_" + name, isCounter ? .counter : .gauge, "Network device property: \(name)", ["device"])
        }
    }

    private static let fields = [
        Field("addr_assign_type", "address_assign_type"), Field("carrier", "carrier"),
        Field("carrier_changes", "carrier_changes_total", isCounter: true),
        Field("carrier_up_count", "carrier_up_changes_total", isCounter: true),
        Field("carrier_down_count", "carrier_down_changes_total", isCounter: true), Field("dev_id", "device_id"), Field("dormant", "dormant"),
        Field("ifindex", "iface_id"), Field("iflink", "iface_link"), Field("link_mode", "iface_link_mode"), Field("mtu", "mtu_bytes"),
        Field("name_assign_type", "name_assign_type"), Field("netdev_group", "net_dev_group"),
        // Megabits a second.
        Field("speed", "speed_bytes", factor: 125_000), Field("tx_queue_len", "transmit_queue_length"), Field("type", "protocol_type"),
    ]
    private static let flags = Field("flags", "flags")
    private static let interfaceUp: UInt64 = 1

    private let exclude: Pattern?

    init(exclude: Pattern?) {
        self.exclude = exclude
    }

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        let folder = round.paths.sysfs + "/class/net"
        guard let devices = SystemFile.names(folder) else { throw .noData }
        for device in devices {
            let path = "\(folder)/\(device)/"
            // `bonding_masters` is a file.
            guard exclude?.matchesPart(device) != true, let state = SystemFile.text(path + "operstate") else { continue }
            round.recorder.add(Self.up, device, state == "up" ? 1 : 0)
            let flags = Self.number(path + Self.flags.file)
            let admin = flags.map { UInt64(max(0, $0)) & Self.interfaceUp != 0 ? "up" : "down" } ?? "unknown"
            round.recorder.add(
                Self.info,
                [
                    device, SystemFile.text(path + "address") ?? "", SystemFile.text(path + "broadcast") ?? "",
                    SystemFile.text(path + "duplex") ?? "", state, admin, SystemFile.text(path + "ifalias") ?? "",
                ], 1)
            if let flags { round.recorder.add(Self.flags.family, device, flags) }
            for field in Self.fields {
                // A device that is down answers EINVAL to some.
                if let value = Self.number(path + field.file) { round.recorder.add(field.family, device, value * field.factor) }
            }
        }
    }

    private static func number(_ path: String) -> Double? {
        guard let text = SystemFile.text(path), !text.isEmpty else { return nil }
        if text.hasPrefix("0x") { return UInt64(text.dropFirst(2), radix: 16).map { Double($0) } }
        return Double(text)
    }
}
