import Glibc
import Telemetry

/// `node_sockstat_*`: sockets by protocol and state (`/proc/net/sockstat`, `/proc/net/sockstat6`).
struct SockstatCollector: HostCollector {
    private static let used = MetricFamily("node_sockstat_sockets_used", .gauge, "Number of IPv4 sockets in use.")

    private let pageByteCount = Double(sysconf(CInt(_SC_PAGESIZE)))
    private var families: [String: MetricFamily] = [:]

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        for (file, isFirst) in [("sockstat", true), ("sockstat6", false)] {
            guard var text = try round.netIfPresent(file) else { continue }
            while text.nextLine() {
                guard let name = text.upTo(":") else { continue }
                let transport = text.text(name)
                while let state = text.text(), let value = text.number() {
                    if transport == "sockets" {
                        if isFirst, state == "used" { round.recorder.add(Self.used, value) }
                        continue
                    }
                    round.recorder.add(family(transport, state), value)
                    if state == "mem" { round.recorder.add(family(transport, "mem_bytes"), value * pageByteCount) }
                }
            }
        }
    }

    private mutating func family(_ transport: String, _ state: String) -> MetricFamily {
        let key = transport + "_" + state
        if let known = families[key] { return known }
        let family = MetricFamily("node_sockstat_" + key, .gauge, "Number of \(transport) sockets in state \(state).")
        families[key] = family
        return family
    }
}
