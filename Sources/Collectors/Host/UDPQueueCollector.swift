import Telemetry

/// `node_udp_queues`: bytes waiting in UDP sockets (`/proc/net/udp`, `/proc/net/udp6`).
struct UDPQueueCollector: HostCollector {
    private static let family = MetricFamily(
        "node_udp_queues", .gauge, "Number of allocated memory in the kernel for UDP datagrams in bytes.", ["queue", "ip"])

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var hasFound = false
        for (file, version) in [("udp", "v4"), ("udp6", "v6")] {
            guard var text = try round.netIfPresent(file) else { continue }
            hasFound = true
            var (sent, received) = (0.0, 0.0)
            _ = text.nextLine()
            while text.nextLine() {
                // sl, local and remote address, state, then tx:rx in hexadecimal.
                text.skip(4)
                guard let queues = text.text(), let colon = queues.firstIndex(of: ":") else { continue }
                sent += UInt64(queues[..<colon], radix: 16).map { Double($0) } ?? 0
                received += UInt64(queues[queues.index(after: colon)...], radix: 16).map { Double($0) } ?? 0
            }
            round.recorder.add(Self.family, "tx", version, sent)
            round.recorder.add(Self.family, "rx", version, received)
        }
        guard hasFound else { throw .noData }
    }
}
