/// A number of a sensor under node exporter's name and in base units.
struct HwmonReading {
    var name: String
    var help: String
    var scaled: Double
    var isCounter = false

    /// - Parameters:
    ///   - property: what follows the sensor in the file's name: `input`, `max`, `alarm`; "" for nothing.
    ///   - hasPlain: whether the sensor has a file without property, too: then `input` is not called by the sensor's name alone.
    init(type: String, property: String, value: Double, hasPlain: Bool) {
        var name = "node_hwmon_" + type
        if property == "input" {
            if hasPlain { name += "_input" }
        } else if !property.isEmpty {
            name += "_" + HwmonCollector.clean(property)
        }
        self.name = name
        scaled = value
        switch (type, property) {
        case ("beep_enable", _): (self.name, help) = ("node_hwmon_beep_enabled", "Hardware beep enabled")
        case ("vrm", _): (self.name, help) = ("node_hwmon_voltage_regulator_version", "Hardware voltage regulator")
        case ("update_interval", _):
            (self.name, help, scaled) = ("node_hwmon_update_interval_seconds", "Hardware monitor update interval", value / 1_000)
        case (_, "fault"), (_, "alarm"): help = "Hardware sensor \(property) status (\(type))"
        case (_, "beep"): (self.name, help) = (name + "_enabled", "Hardware monitor sensor has beeping enabled")
        case ("in", _), ("cpu", _): (self.name, help, scaled) = (name + "_volts", "Hardware monitor for voltage (\(property))", value / 1_000)
        case ("temp", "type"): help = "Hardware monitor temp element type"
        case ("temp", _):
            help = "Hardware monitor for temperature (\(property.isEmpty ? "input" : property))"
            (self.name, scaled) = (name + "_celsius", value / 1_000)
        case ("curr", _): (self.name, help, scaled) = (name + "_amps", "Hardware monitor for current (\(property))", value / 1_000)
        case ("energy", _):
            help = "Hardware monitor for joules used so far (\(property))"
            (self.name, scaled, isCounter) = (name + "_joule_total", value / 1e6, true)
        case ("power", "accuracy"): (help, scaled) = ("Hardware monitor power meter accuracy, as a ratio", value / 1e6)
        case ("power", "average_interval"), ("power", "average_interval_min"), ("power", "average_interval_max"):
            help = "Hardware monitor power usage update interval (\(property))"
            (self.name, scaled) = (name + "_seconds", value / 1_000)
        case ("power", _): (self.name, help, scaled) = (name + "_watt", "Hardware monitor for power usage in watts (\(property))", value / 1e6)
        case ("humidity", _):
            help = "Hardware monitor for humidity, as a ratio (multiply with 100.0 to get the humidity as a percentage) (\(property))"
            scaled = value / 1e6
        case ("fan", "input"), ("fan", "min"), ("fan", "max"), ("fan", "target"):
            (self.name, help) = (name + "_rpm", "Hardware monitor for fan revolutions per minute (\(property))")
        case ("freq", "input"): (self.name, help, scaled) = (name + "_freq_mhz", "Hardware monitor for GPU frequency in MHz", value / 1e6)
        default: help = "Hardware monitor \(type) element \(property)"
        }
    }
}
