import Telemetry

/// `node_vmstat_*`: of `/proc/vmstat` what node exporter takes by default, `^(oom_kill|pgpg|pswp|pg.*fault).*`.
struct VmstatCollector: HostCollector {
    private var families: [String: MetricFamily] = [:]

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var text = try round.proc("vmstat")
        while text.nextLine() {
            guard let field = text.field(), Self.isWanted(field, text), let value = text.number() else { continue }
            round.recorder.add(family(text.text(field)), value)
        }
    }

    private static func isWanted(_ field: Range<Int>, _ text: TextCursor) -> Bool {
        switch text.byte(field.lowerBound) {
        case UInt8(ascii: "o"): return text.hasPrefix(field, "oom_kill")
        case UInt8(ascii: "p"):
            if text.hasPrefix(field, "pswp") || text.hasPrefix(field, "pgpg") { return true }
            return text.hasPrefix(field, "pg") && text.text(field).contains("fault")
        default: return false
        }
    }

    private mutating func family(_ name: String) -> MetricFamily {
        if let known = families[name] { return known }
        let family = MetricFamily("node_vmstat_" + name, .unknown, "/proc/vmstat information field \(name).")
        families[name] = family
        return family
    }
}
