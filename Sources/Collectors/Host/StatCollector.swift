import Telemetry

/// `node_boot_time_seconds`, `node_context_switches_total`, `node_forks_total`, `node_intr_total`, `node_procs_*` (`/proc/stat`).
struct StatCollector: HostCollector {
    private static let interrupts = MetricFamily("node_intr_total", .counter, "Total number of interrupts serviced.")
    private static let switches = MetricFamily("node_context_switches_total", .counter, "Total number of context switches.")
    private static let forks = MetricFamily("node_forks_total", .counter, "Total number of forks.")
    private static let bootTime = MetricFamily("node_boot_time_seconds", .gauge, "Node boot time, in unixtime.")
    private static let running = MetricFamily("node_procs_running", .gauge, "Number of processes in runnable state.")
    private static let blocked = MetricFamily("node_procs_blocked", .gauge, "Number of processes blocked waiting for I/O to complete.")

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var text = try round.sharedProc("stat")
        while text.nextLine() {
            guard let name = text.field() else { continue }
            // Most lines are CPUs': one byte tells them from the rest.
            let family: MetricFamily
            switch text.byte(name.lowerBound) {
            case UInt8(ascii: "i") where text.equals(name, "intr"): family = Self.interrupts
            case UInt8(ascii: "c") where text.equals(name, "ctxt"): family = Self.switches
            case UInt8(ascii: "b") where text.equals(name, "btime"): family = Self.bootTime
            case UInt8(ascii: "p"):
                if text.equals(name, "processes") {
                    family = Self.forks
                } else if text.equals(name, "procs_running") {
                    family = Self.running
                } else if text.equals(name, "procs_blocked") {
                    family = Self.blocked
                } else {
                    continue
                }
            default: continue
            }
            if let value = text.number() { round.recorder.add(family, value) }
        }
    }
}
