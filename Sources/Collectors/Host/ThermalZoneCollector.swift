import Telemetry

/// `node_thermal_zone_temp`, `node_cooling_device_*` (`/sys/class/thermal`).
struct ThermalZoneCollector: HostCollector {
    private static let temperature = MetricFamily("node_thermal_zone_temp", .gauge, "Zone temperature in Celsius", ["zone", "type"])
    private static let current = MetricFamily(
        "node_cooling_device_cur_state", .gauge, "Current throttle state of the cooling device", ["name", "type"])
    private static let maximum = MetricFamily(
        "node_cooling_device_max_state", .gauge, "Maximum throttle state of the cooling device", ["name", "type"])

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        let folder = round.paths.sysfs + "/class/thermal"
        guard let names = SystemFile.names(folder) else { throw .noData }
        for name in names {
            let path = "\(folder)/\(name)/"
            let type = SystemFile.text(path + "type") ?? ""
            if name.hasPrefix("thermal_zone"), let thousandths = SystemFile.number(path + "temp") {
                round.recorder.add(Self.temperature, String(name.dropFirst("thermal_zone".count)), type, thousandths / 1_000)
            } else if name.hasPrefix("cooling_device") {
                let number = String(name.dropFirst("cooling_device".count))
                if let state = SystemFile.number(path + "cur_state") { round.recorder.add(Self.current, number, type, state) }
                if let state = SystemFile.number(path + "max_state") { round.recorder.add(Self.maximum, number, type, state) }
            }
        }
    }
}
