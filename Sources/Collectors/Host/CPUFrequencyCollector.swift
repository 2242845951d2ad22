import Telemetry

/// `node_cpu_frequency_*` and `node_cpu_scaling_*`: clock rates of each CPU (sysfs, cpufreq).
struct CPUFrequencyCollector: HostCollector {
    /// A file of kilohertz, and its family.
    private static let rates: [(file: String, family: MetricFamily)] = [
        ("cpuinfo_cur_freq", MetricFamily("node_cpu_frequency_hertz", .gauge, "Current CPU thread frequency in hertz.", ["cpu"])),
        ("cpuinfo_avg_freq", MetricFamily("node_cpu_frequency_avg_hertz", .gauge, "Average CPU thread frequency in hertz.", ["cpu"])),
        ("cpuinfo_min_freq", MetricFamily("node_cpu_frequency_min_hertz", .gauge, "Minimum CPU thread frequency in hertz.", ["cpu"])),
        ("cpuinfo_max_freq", MetricFamily("node_cpu_frequency_max_hertz", .gauge, "Maximum CPU thread frequency in hertz.", ["cpu"])),
        (
            "scaling_cur_freq",
            MetricFamily("node_cpu_scaling_frequency_hertz", .gauge, "Current scaled CPU thread frequency in hertz.", ["cpu"])
        ),
        (
            "scaling_min_freq",
            MetricFamily("node_cpu_scaling_frequency_min_hertz", .gauge, "Minimum scaled CPU thread frequency in hertz.", ["cpu"])
        ),
        (
            "scaling_max_freq",
            MetricFamily("node_cpu_scaling_frequency_max_hertz", .gauge, "Maximum scaled CPU thread frequency in hertz.", ["cpu"])
        ),
    ]
    private static let governor = MetricFamily(
        "node_cpu_scaling_governor", .gauge, "Current enabled CPU frequency governor.", ["cpu", "governor"])

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        let folder = round.paths.sysfs + "/devices/system/cpu"
        for cpu in CPUList.folders(folder) {
            let path = "\(folder)/cpu\(cpu)/cpufreq/"
            guard let current = SystemFile.text(path + "scaling_governor") else { continue }
            let name = String(cpu)
            for rate in Self.rates {
                if let kilohertz = SystemFile.number(path + rate.file) { round.recorder.add(rate.family, name, kilohertz * 1_000) }
            }
            for governor in (SystemFile.text(path + "scaling_available_governors") ?? "").split(separator: " ") {
                round.recorder.add(Self.governor, name, String(governor), governor == current ? 1 : 0)
            }
        }
    }
}
