import Telemetry

/// `node_arp_entries`: neighbours known by device (`/proc/net/arp`).
struct ARPCollector: HostCollector {
    private static let family = MetricFamily("node_arp_entries", .gauge, "ARP entries by device", ["device"])

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var text = try round.net("arp")
        var counts: [String: Double] = [:]
        _ = text.nextLine()
        while text.nextLine() {
            // Address, hardware type, flags, hardware address, mask, device.
            text.skip(5)
            if let device = text.text() { counts[device, default: 0] += 1 }
        }
        for (device, count) in counts.sorted(by: { $0.key < $1.key }) { round.recorder.add(Self.family, device, count) }
    }
}
