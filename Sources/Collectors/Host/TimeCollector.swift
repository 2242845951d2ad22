import Glibc
import Telemetry

/// `node_time_*`: the clock, the time zone, the clock sources.
struct TimeCollector: HostCollector {
    private static let now = MetricFamily("node_time_seconds", .gauge, "System time in seconds since epoch (1970).")
    private static let zone = MetricFamily("node_time_zone_offset_seconds", .gauge, "System time zone offset in seconds.", ["time_zone"])
    private static let available = MetricFamily(
        "node_time_clocksource_available_info", .gauge,
        "Available clocksources read from '/sys/devices/system/clocksource'.", ["device", "clocksource"])
    private static let current = MetricFamily(
        "node_time_clocksource_current_info", .gauge, "Current clocksource read from '/sys/devices/system/clocksource'.",
        ["device", "clocksource"])

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var seconds = time_t(round.now / 1_000_000_000)
        var local = tm()
        round.recorder.add(Self.now, Double(round.now) / 1e9)
        if localtime_r(&seconds, &local) != nil {
            let zone = local.tm_zone.map { String(cString: $0) } ?? ""
            round.recorder.add(Self.zone, zone, Double(local.tm_gmtoff))
        }
        let folder = round.paths.sysfs + "/devices/system/clocksource"
        for name in SystemFile.names(folder) ?? [] where name.hasPrefix("clocksource") {
            let device = String(name.dropFirst("clocksource".count))
            for source in (SystemFile.text("\(folder)/\(name)/available_clocksource") ?? "").split(separator: " ") {
                round.recorder.add(Self.available, device, String(source), 1)
            }
            if let source = SystemFile.text("\(folder)/\(name)/current_clocksource") { round.recorder.add(Self.current, device, source, 1) }
        }
    }
}
