import Telemetry

/// `node_memory_*`: the lines of `/proc/meminfo`, in bytes.
struct MeminfoCollector: HostCollector {
    /// By the line's own name, parentheses and all.
    private var families: [String: MetricFamily] = [:]

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var text = try round.proc("meminfo")
        while text.nextLine() {
            guard let name = text.upTo(":"), let value = text.number() else { continue }
            let unit = text.field()
            let isKibibytes = unit.map { text.equals($0, "kB") } ?? false
            let family = family(text.text(name), hasUnit: isKibibytes)
            round.recorder.add(family, isKibibytes ? value * 1_024 : value)
        }
    }

    /// `Active(anon)` in kB is `node_memory_Active_anon_bytes`.
    private mutating func family(_ name: String, hasUnit: Bool) -> MetricFamily {
        if let known = families[name] { return known }
        let field = name.replacing("(", with: "_").replacing(")", with: "") + (hasUnit ? "_bytes" : "")
        let family = MetricFamily("node_memory_" + field, .gauge, "Memory information field \(field).")
        families[name] = family
        return family
    }
}
