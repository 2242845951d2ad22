import Telemetry

/// `node_power_supply_*`: batteries and mains (`/sys/class/power_supply`).
struct PowerSupplyCollector: HostCollector {
    private static let info = MetricFamily(
        "node_power_supply_info", .gauge, "info of /sys/class/power_supply/<power_supply>.",
        ["power_supply", "capacity_level", "health", "manufacturer", "model_name", "serial_number", "status", "technology", "type"])

    /// A file, the family of its number, and what makes base units of it.
    private static let fields: [(file: String, family: MetricFamily, factor: Double)] = [
        ("online", "online", 1), ("present", "present", 1), ("capacity", "capacity", 1), ("cycle_count", "cyclecount", 1),
        ("charge_full", "charge_full_ampere", 1e-6), ("charge_now", "charge_ampere", 1e-6), ("current_now", "current_ampere", 1e-6),
        ("energy_full", "energy_full_watthour", 1e-6), ("energy_now", "energy_watthour", 1e-6), ("power_now", "power_watt", 1e-6),
        ("temp", "temp_celsius", 0.1), ("voltage_now", "voltage_volt", 1e-6), ("voltage_min_design", "voltage_min_design_volt", 1e-6),
        ("time_to_empty_now", "time_to_empty_seconds", 1), ("time_to_full_now", "time_to_full_seconds", 1),
    ].map { file, name, factor in
        (
            file, MetricFamily("node_power_supply_" + name, .gauge, "\(file) value of /sys/class/power_supply/<power_supply>.", ["power_supply"]),
            factor
        )
    }

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        let folder = round.paths.sysfs + "/class/power_supply"
        guard let names = SystemFile.names(folder) else { throw .noData }
        for name in names {
            let path = "\(folder)/\(name)/"
            for field in Self.fields {
                if let value = SystemFile.number(path + field.file) { round.recorder.add(field.family, name, value * field.factor) }
            }
            let labels = Self.info.labelNames.dropFirst().map { SystemFile.text(path + $0) ?? "" }
            round.recorder.add(Self.info, [name] + labels, 1)
        }
    }
}
