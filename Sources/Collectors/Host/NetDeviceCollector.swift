import Patterns
import Telemetry

/// `node_network_{receive,transmit}_*_total`: what passed each network device (`/proc/net/dev`).
struct NetDeviceCollector: HostCollector {
    /// The columns of a line after the device.
    private static let columns = [
        "receive_bytes", "receive_packets", "receive_errs", "receive_drop", "receive_fifo", "receive_frame", "receive_compressed",
        "receive_multicast", "transmit_bytes", "transmit_packets", "transmit_errs", "transmit_drop", "transmit_fifo", "transmit_colls",
        "transmit_carrier", "transmit_compressed",
    ].map { family($0) }
    /// The one figure of the kernel's link statistics that `/proc/net/dev` lacks.
    private static let unhandled = family("receive_nohandler")

    private let exclude: Pattern?
    private var isExcluded: [String: Bool] = [:]

    init(exclude: Pattern?) {
        self.exclude = exclude
    }

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var text = try round.net("dev")
        while text.nextLine() {
            // Two lines of headings have no colon before their bars.
            guard let name = text.upTo(":") else { continue }
            let device = text.text(name)
            guard !isExcluded(device) else { continue }
            for family in Self.columns {
                guard let value = text.number() else { break }
                round.recorder.add(family, device, value)
            }
            if let value = SystemFile.number("\(round.paths.sysfs)/class/net/\(device)/statistics/rx_nohandler") {
                round.recorder.add(Self.unhandled, device, value)
            }
        }
    }

    private mutating func isExcluded(_ device: String) -> Bool {
        guard let exclude else { return false }
        if let known = isExcluded[device] { return known }
        // Containers come and go, and their devices' names with them.
        if isExcluded.count >= 4_096 { isExcluded.removeAll() }
        let result = exclude.matchesPart(device)
        isExcluded[device] = result
        return result
    }

    private static func family(_ name: String) -> MetricFamily {
        MetricFamily("node_network_\(name)_total", .counter, "Network device statistic \(name).", ["device"])
    }
}
