import Telemetry

/// `node_hwmon_*`: temperatures, fans, voltages, currents, power (`/sys/class/hwmon`; Linux, Documentation/hwmon/sysfs-interface.rst).
struct HwmonCollector: HostCollector {
    private static let chipNames = MetricFamily(
        "node_hwmon_chip_names", .gauge, "Annotation metric for human-readable chip names", ["chip", "chip_name"])
    private static let sensorLabel = MetricFamily(
        "node_hwmon_sensor_label", .gauge, "Label for given chip and sensor", ["chip", "sensor", "label"])
    private static let labels = ["chip", "sensor"]
    private static let sensorTypes: Set<String> = [
        "vrm", "beep_enable", "update_interval", "in", "cpu", "fan", "pwm", "temp", "curr", "power", "energy", "humidity", "intrusion", "freq",
    ]

    /// By name: types and help texts depend on the sensor.
    private var families: [String: MetricFamily] = [:]

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        let folder = round.paths.sysfs + "/class/hwmon"
        guard let chips = SystemFile.names(folder) else { throw .noData }
        for chip in chips { self.chip("\(folder)/\(chip)", chip, &round) }
    }

    private mutating func chip(_ path: String, _ fallback: String, _ round: inout HostRound) {
        let name = SystemFile.text(path + "/name").map(Self.clean) ?? ""
        let chip = Self.deviceName(path) ?? (name.isEmpty ? Self.clean(fallback) : name)
        if !name.isEmpty { round.recorder.add(Self.chipNames, chip, name, 1) }
        var sensors: [String: [String: String]] = [:]
        for folder in [path, path + "/device"] {
            for file in SystemFile.names(folder) ?? [] {
                guard let sensor = SensorFile(file), Self.sensorTypes.contains(sensor.type) else { continue }
                guard let text = SystemFile.text(folder + "/" + file) else { continue }
                sensors[sensor.name, default: [:]][sensor.property] = text
            }
        }
        for (sensor, properties) in sensors.sorted(by: { $0.key < $1.key }) {
            guard let type = SensorFile(sensor)?.type else { continue }
            if let label = properties["label"] { round.recorder.add(Self.sensorLabel, [chip, sensor, label], 1) }
            for (property, text) in properties.sorted(by: { $0.key < $1.key }) where property != "label" {
                guard let value = Double(text) else { continue }
                let reading = HwmonReading(type: type, property: property, value: value, hasPlain: properties[""] != nil)
                round.recorder.add(family(reading), chip, sensor, reading.scaled)
            }
        }
    }

    private mutating func family(_ reading: HwmonReading) -> MetricFamily {
        if let known = families[reading.name] { return known }
        let family = MetricFamily(reading.name, reading.isCounter ? .counter : .gauge, reading.help, Self.labels)
        families[reading.name] = family
        return family
    }

    /// What is stable over reboots: the bus and the name of the device behind the chip.
    private static func deviceName(_ path: String) -> String? {
        guard let device = RealPath.of(path + "/device") else { return nil }
        let parts = device.split(separator: "/").suffix(2).map { clean(String($0)) }.filter { !$0.isEmpty }
        return parts.isEmpty ? nil : parts.joined(separator: "_")
    }

    static func clean(_ name: String) -> String {
        let bytes = name.lowercased().utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ":"): byte
            default: UInt8(ascii: "_")
            }
        }
        var text = String(decoding: bytes, as: UTF8.self)[...]
        while text.first == "_" { text.removeFirst() }
        while text.last == "_" { text.removeLast() }
        return String(text)
    }

    /// `temp1_input`: type, number, property.
    private struct SensorFile {
        var type: String
        var number: Int
        var property: String

        var name: String { type + String(number) }

        init?(_ file: String) {
            let type = file.prefix { !$0.isNumber }
            guard !type.isEmpty else { return nil }
            let digits = file.dropFirst(type.count).prefix { $0.isNumber }
            let rest = file.dropFirst(type.count + digits.count)
            guard rest.isEmpty || (rest.hasPrefix("_") && rest.count > 1) else { return nil }
            self.type = String(type)
            number = Int(digits) ?? 0
            property = String(rest.dropFirst())
        }
    }
}
