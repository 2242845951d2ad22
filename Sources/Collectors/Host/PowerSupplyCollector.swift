import Telemetry

/// `node_power_supply_*`: batteries and mains (`/sys/class/power_supply`).
struct PowerSupplyCollector: HostCollector {
    private static let info = MetricFamily(
        "node_power_supply_info", .gauge, "info of /sys/class/power_supply/<power_supply>.",
        [
            "power_supply", "capacity_level", "charge_type", "health", "manufacturer", "model_name", "serial_number", "status", "technology",
            "type", "usb_type", "scope",
        ])

    /// Files whose numbers are taken as they are, in millionths, and in tenths; those that node exporter calls by other names apart.
    private static let fields: [(file: String, family: MetricFamily, factor: Double)] =
        ["authentic", "calibrate", "capacity", "capacity_alert_max", "capacity_alert_min", "online", "present"].map { field($0, $0, 1) }
        + [
            field("cycle_count", "cyclecount", 1), field("time_to_empty_now", "time_to_empty_seconds", 1),
            field("time_to_full_now", "time_to_full_seconds", 1), field("current_now", "current_ampere", 1e-6),
            field("energy_now", "energy_watthour", 1e-6), field("voltage_now", "voltage_volt", 1e-6),
            field("charge_now", "charge_ampere", 1e-6), field("power_now", "power_watt", 1e-6), field("temp", "temp_celsius", 0.1),
            field("temp_ambient", "temp_ambient_celsius", 0.1), field("temp_max", "temp_max_celsius", 0.1),
            field("temp_min", "temp_min_celsius", 0.1),
        ]
        + [
            "current_max", "energy_full", "energy_full_design", "energy_empty", "energy_empty_design", "voltage_max", "voltage_max_design",
            "voltage_min", "voltage_min_design", "charge_full", "charge_full_design", "charge_control_limit", "charge_counter",
            "input_current_limit", "constant_charge_current", "constant_charge_voltage",
        ].map { field($0, $0, 1e-6) }

    private static func field(_ file: String, _ name: String, _ factor: Double) -> (file: String, family: MetricFamily, factor: Double) {
        let help = "\(name) value of /sys/class/power_supply/<power_supply>."
        return (file, MetricFamily("node_power_supply_" + name, .gauge, help, ["power_supply"]), factor)
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
