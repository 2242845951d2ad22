import Telemetry

/// `node_netstat_*`: protocol statistics (`/proc/net/{netstat,snmp,snmp6}`), of which node exporter's default fields are taken.
struct NetstatCollector: HostCollector {
    /// Whether each column of a pair of lines is wanted, and its family; by the line of names.
    private var columns: [String: [MetricFamily?]] = [:]
    /// The same for the lines of `snmp6`.
    private var fields: [String: MetricFamily?] = [:]

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        for file in ["netstat", "snmp"] { pairs(try round.net(file), &round) }
        guard var text = try round.netIfPresent("snmp6") else { return }
        while text.nextLine() {
            guard let name = text.text(), let family = self.field(name), let value = text.number() else { continue }
            round.recorder.add(family, value)
        }
    }

    /// Each protocol has a line of names and, below, one of values, both beginning with `Protocol:`.
    private mutating func pairs(_ file: TextCursor, _ round: inout HostRound) {
        var text = file
        while text.nextLine() {
            let names = text.text(text.rest())
            guard text.nextLine() else { return }
            text.skip(1)
            for family in columns(of: names) {
                guard let value = text.number() else { break }
                if let family { round.recorder.add(family, value) }
            }
        }
    }

    private mutating func columns(of line: String) -> [MetricFamily?] {
        if let known = columns[line] { return known }
        let names = line.split(separator: " ")
        let prefix = names.first?.dropLast() ?? ""
        let families = names.dropFirst().map { Self.family(String(prefix), String($0)) }
        columns[line] = families
        return families
    }

    /// `Icmp6InMsgs` is protocol `Icmp6`, name `InMsgs`.
    private mutating func field(_ line: String) -> MetricFamily? {
        if let known = fields[line] { return known }
        var family: MetricFamily?
        if let six = line.firstIndex(of: "6") {
            let end = line.index(after: six)
            family = Self.family(String(line[..<end]), String(line[end...]))
        }
        fields[line] = .some(family)
        return family
    }

    private static func family(_ prefix: String, _ name: String) -> MetricFamily? {
        guard isWanted(prefix, name) else { return nil }
        return MetricFamily("node_netstat_\(prefix)_\(name)", .unknown, "Statistic \(prefix)\(name).")
    }

    /// Node exporter's default expression, in words.
    private static func isWanted(_ prefix: String, _ name: String) -> Bool {
        if name.hasSuffix("InErrors") || name.hasSuffix("InErrs") { return name == "InErrors" || name == "InErrs" }
        return switch prefix {
        case "Ip": name == "Forwarding"
        case "Ip6", "IpExt": name == "InOctets" || name == "OutOctets"
        case "Icmp", "Icmp6": name == "InMsgs" || name == "OutMsgs"
        case "TcpExt":
            name.hasPrefix("Listen") || name.hasPrefix("Syncookies")
                || ["TCPSynRetrans", "TCPTimeouts", "TCPOFOQueue", "TCPRcvQDrop"].contains(name)
        case "Tcp": ["ActiveOpens", "InSegs", "OutSegs", "OutRsts", "PassiveOpens", "RetransSegs", "CurrEstab"].contains(name)
        case "Udp", "Udp6": ["InDatagrams", "OutDatagrams", "NoPorts", "RcvbufErrors", "SndbufErrors"].contains(name)
        default: false
        }
    }
}
