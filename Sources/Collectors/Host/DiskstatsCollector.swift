import Patterns
import Telemetry

/// `node_disk_*`: reads, writes, discards and flushes of each block device (`/proc/diskstats`), and who it is (udev).
struct DiskstatsCollector: HostCollector {
    private static let info = MetricFamily(
        "node_disk_info", .gauge, "Info of /sys/block/<block_device>.",
        ["device", "major", "minor", "path", "wwn", "model", "serial", "revision", "rotational"])
    private static let filesystem = MetricFamily(
        "node_disk_filesystem_info", .gauge, "Info about disk filesystem.", ["device", "type", "usage", "uuid", "version"])
    private static let deviceMapper = MetricFamily(
        "node_disk_device_mapper_info", .gauge, "Info about disk device mapper.",
        ["device", "name", "uuid", "vg_name", "lv_name", "lv_layer"])

    /// The columns after the device, with what makes base units of them: sectors are 512 bytes, times milliseconds
    /// (Linux, Documentation/admin-guide/iostats.rst).
    private static let columns: [(family: MetricFamily, factor: Double)] = [
        (counter("reads_completed_total", "The total number of reads completed successfully."), 1),
        (counter("reads_merged_total", "The total number of reads merged."), 1),
        (counter("read_bytes_total", "The total number of bytes read successfully."), 512),
        (counter("read_time_seconds_total", "The total number of seconds spent by all reads."), 1e-3),
        (counter("writes_completed_total", "The total number of writes completed successfully."), 1),
        (counter("writes_merged_total", "The number of writes merged."), 1),
        (counter("written_bytes_total", "The total number of bytes written successfully."), 512),
        (counter("write_time_seconds_total", "This is the total number of seconds spent by all writes."), 1e-3),
        (MetricFamily("node_disk_io_now", .gauge, "The number of I/Os currently in progress.", ["device"]), 1),
        (counter("io_time_seconds_total", "Total seconds spent doing I/Os."), 1e-3),
        (counter("io_time_weighted_seconds_total", "The weighted # of seconds spent doing I/Os."), 1e-3),
        (counter("discards_completed_total", "The total number of discards completed successfully."), 1),
        (counter("discards_merged_total", "The total number of discards merged."), 1),
        (counter("discarded_sectors_total", "The total number of sectors discarded successfully."), 1),
        (counter("discard_time_seconds_total", "This is the total number of seconds spent by all discards."), 1e-3),
        (counter("flush_requests_total", "The total number of flush requests completed successfully"), 1),
        (counter("flush_requests_time_seconds_total", "This is the total number of seconds spent by all flush requests."), 1e-3),
    ]

    /// What does not change while a device is there.
    private struct Device: Sendable {
        var isExcluded: Bool
        var info: [String] = []
        var filesystem: [String]?
        var deviceMapper: [String]?
    }

    private let exclude: Pattern?
    /// By `MAJOR:MINOR NAME`.
    private var devices: [String: Device] = [:]

    init(exclude: Pattern?) {
        self.exclude = exclude
    }

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var text = try round.proc("diskstats")
        while text.nextLine() {
            guard let major = text.text(), let minor = text.text(), let name = text.text() else { continue }
            let device = device(name, major, minor, round.paths)
            guard !device.isExcluded else { continue }
            round.recorder.add(Self.info, device.info, 1)
            for column in Self.columns {
                guard let value = text.number() else { break }
                round.recorder.add(column.family, name, value * column.factor)
            }
            if let values = device.filesystem { round.recorder.add(Self.filesystem, values, 1) }
            if let values = device.deviceMapper { round.recorder.add(Self.deviceMapper, values, 1) }
        }
    }

    private mutating func device(_ name: String, _ major: String, _ minor: String, _ paths: HostPaths) -> Device {
        let key = "\(major):\(minor) \(name)"
        if let known = devices[key] { return known }
        if devices.count >= 4_096 { devices.removeAll() }
        var device = Device(isExcluded: exclude?.matchesPart(name) ?? false)
        if !device.isExcluded {
            let properties = Self.properties("\(paths.udev)/b\(major):\(minor)")
            func value(_ names: String...) -> String { names.lazy.compactMap { properties[$0] }.first { !$0.isEmpty } ?? "" }
            let isRotational = SystemFile.number("\(paths.sysfs)/block/\(name)/queue/rotational") == 1
            device.info = [
                name, major, minor, value("ID_PATH"), value("ID_WWN"), value("ID_MODEL"),
                value("SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL"), value("ID_REVISION"), isRotational ? "1" : "0",
            ]
            if let type = properties["ID_FS_TYPE"], !type.isEmpty {
                device.filesystem = [name, type, value("ID_FS_USAGE"), value("ID_FS_UUID"), value("ID_FS_VERSION")]
            }
            if let mapped = properties["DM_NAME"], !mapped.isEmpty {
                device.deviceMapper = [name, mapped, value("DM_UUID"), value("DM_VG_NAME"), value("DM_LV_NAME"), value("DM_LV_LAYER")]
            }
        }
        devices[key] = device
        return device
    }

    /// The `E:NAME=VALUE` lines of udev's database.
    private static func properties(_ path: String) -> [String: String] {
        var properties: [String: String] = [:]
        for line in (SystemFile.text(path) ?? "").split(separator: "\n") where line.hasPrefix("E:") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            properties[String(line[..<equals].dropFirst(2))] = String(line[line.index(after: equals)...])
        }
        return properties
    }

    private static func counter(_ name: String, _ help: String) -> MetricFamily {
        MetricFamily("node_disk_" + name, .counter, help, ["device"])
    }
}
