import Telemetry

/// `node_selinux_*`: whether SELinux is on, and whether it enforces.
struct SELinuxCollector: HostCollector {
    private static let enabled = MetricFamily("node_selinux_enabled", .gauge, "SELinux is enabled, 1 is true, 0 is false")
    private static let current = MetricFamily("node_selinux_current_mode", .gauge, "Current SELinux enforcement mode")
    private static let configured = MetricFamily("node_selinux_config_mode", .gauge, "Configured SELinux enforcement mode")

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        guard let mode = SystemFile.number(round.paths.sysfs + "/fs/selinux/enforce") else {
            round.recorder.add(Self.enabled, 0)
            return
        }
        round.recorder.add(Self.enabled, 1)
        round.recorder.add(Self.configured, configuredMode(round.paths.rootfs + "/etc/selinux/config"))
        round.recorder.add(Self.current, mode)
    }

    /// 1 enforcing, 0 permissive, -1 disabled or unknown.
    private func configuredMode(_ path: String) -> Double {
        for line in (SystemFile.text(path) ?? "").split(separator: "\n") where line.hasPrefix("SELINUX=") {
            switch line.dropFirst("SELINUX=".count).lowercased() {
            case "enforcing": return 1
            case "permissive": return 0
            default: return -1
            }
        }
        return -1
    }
}
