import Telemetry

/// `node_cpu_*`: how long each CPU spent in which mode (`/proc/stat`), and what sysfs says of throttling, isolation and hot-plugging.
struct CPUCollector: HostCollector {
    private static let seconds = MetricFamily("node_cpu_seconds_total", .counter, "Seconds the CPUs spent in each mode.", ["cpu", "mode"])
    private static let guestSeconds = MetricFamily(
        "node_cpu_guest_seconds_total", .counter, "Seconds the CPUs spent in guests (VMs) for each mode.", ["cpu", "mode"])
    private static let coreThrottles = MetricFamily(
        "node_cpu_core_throttles_total", .counter, "Number of times this CPU core has been throttled.", ["package", "core"])
    private static let packageThrottles = MetricFamily(
        "node_cpu_package_throttles_total", .counter, "Number of times this CPU package has been throttled.", ["package"])
    private static let isolated = MetricFamily(
        "node_cpu_isolated", .gauge, "Whether each core is isolated, information from /sys/devices/system/cpu/isolated.", ["cpu"])
    private static let online = MetricFamily("node_cpu_online", .gauge, "CPUs that are online and being scheduled.", ["cpu"])

    /// The columns of a `cpu` line. The last two are parts of `user` and `nice`.
    private static let modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"]
    private static let idle = 3
    /// `USER_HZ`: what user space is told, whatever the kernel's own tick.
    private static let ticksPerSecond = 100.0
    /// An idle counter that falls by more than this is another CPU in the same place; less is the kernel's rounding.
    private static let resetSeconds = 3.0

    private var before: [String: [Double]] = [:]

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var text = try round.sharedProc("stat")
        var seen: [String: [Double]] = [:]
        seen.reserveCapacity(before.count)
        while text.nextLine() {
            guard let name = text.field(), text.hasPrefix(name, "cpu") else { break }
            // The first line sums them all up.
            guard name.count > 3 else { continue }
            let cpu = text.text(name.lowerBound + 3..<name.upperBound)
            let values = rising(from: before[cpu], times(&text))
            for (mode, value) in zip(Self.modes, values) { round.recorder.add(Self.seconds, cpu, mode, value) }
            if values.count >= 10 {
                round.recorder.add(Self.guestSeconds, cpu, "user", values[8])
                round.recorder.add(Self.guestSeconds, cpu, "nice", values[9])
            }
            seen[cpu] = values
        }
        before = seen
        let folder = round.paths.sysfs + "/devices/system/cpu"
        isolation(folder, &round)
        topology(folder, &round)
    }

    private func times(_ text: inout TextCursor) -> [Double] {
        var values: [Double] = []
        values.reserveCapacity(10)
        while values.count < 10, let ticks = text.number() { values.append(ticks / Self.ticksPerSecond) }
        return values
    }

    /// Counters never fall, though the kernel's sometimes do by a tick.
    private func rising(from before: [Double]?, _ now: [Double]) -> [Double] {
        guard let before, before.count == now.count, now.count > Self.idle else { return now }
        if before[Self.idle] - now[Self.idle] >= Self.resetSeconds { return now }
        return zip(before, now).map { max($0, $1) }
    }

    private func isolation(_ folder: String, _ round: inout HostRound) {
        guard let text = SystemFile.text(folder + "/isolated"), !text.isEmpty else { return }
        for cpu in CPUList.parse(text) { round.recorder.add(Self.isolated, String(cpu), 1) }
    }

    private func topology(_ folder: String, _ round: inout HostRound) {
        let cpus = CPUList.folders(folder)
        var cores: Set<String> = []
        var packages: Set<String> = []
        // A kernel that cannot take CPUs away says nothing of the first.
        let hasOnline = cpus.first.flatMap { SystemFile.number("\(folder)/cpu\($0)/online") } != nil
        for cpu in cpus {
            let path = "\(folder)/cpu\(cpu)"
            if hasOnline { round.recorder.add(Self.online, String(cpu), SystemFile.number(path + "/online") ?? 0) }
            guard let count = SystemFile.number(path + "/thermal_throttle/core_throttle_count") else { continue }
            guard let package = SystemFile.text(path + "/topology/physical_package_id"), let core = SystemFile.text(path + "/topology/core_id")
            else { continue }
            if cores.insert(package + ":" + core).inserted { round.recorder.add(Self.coreThrottles, package, core, count) }
            if packages.insert(package).inserted, let count = SystemFile.number(path + "/thermal_throttle/package_throttle_count") {
                round.recorder.add(Self.packageThrottles, package, count)
            }
        }
    }
}
