import Formats
import Telemetry

/// `node_os_info`, `node_os_version` (os-release(5)).
struct OSReleaseCollector: HostCollector {
    private static let info = MetricFamily(
        "node_os_info", .gauge,
        "A metric with a constant '1' value labeled by build_id, id, id_like, image_id, image_version, name, pretty_name, variant, "
            + "variant_id, version, version_codename, version_id.", keys.map { $0.lowercased() })
    private static let version = MetricFamily(
        "node_os_version", .gauge, "Metric containing the major.minor part of the OS version.", ["id", "id_like", "name"])
    private static let supportEnd = MetricFamily(
        "node_os_support_end_timestamp_seconds", .gauge, "Metric containing the end-of-life date timestamp of the OS.")
    private static let keys = [
        "BUILD_ID", "ID", "ID_LIKE", "IMAGE_ID", "IMAGE_VERSION", "NAME", "PRETTY_NAME", "VARIANT", "VARIANT_ID", "VERSION",
        "VERSION_CODENAME", "VERSION_ID",
    ]

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        let root = round.paths.rootfs
        guard let text = SystemFile.text(root + "/etc/os-release") ?? SystemFile.text(root + "/usr/lib/os-release") else { throw .noData }
        let values = Self.parse(text)
        func value(_ key: String) -> String { values[key] ?? "" }
        round.recorder.add(Self.info, Self.keys.map(value), 1)
        let number = value("VERSION_ID").prefix { $0.isNumber || $0 == "." }.split(separator: ".").prefix(2).joined(separator: ".")
        if let version = Double(number), version > 0 {
            round.recorder.add(Self.version, [value("ID"), value("ID_LIKE"), value("NAME")], version)
        }
        if let nanoseconds = RFC3339.nanoseconds((value("SUPPORT_END") + "T00:00:00Z").utf8) {
            round.recorder.add(Self.supportEnd, Double(nanoseconds / 1_000_000_000))
        }
    }

    /// `KEY=value` lines, the value quoted as a shell would.
    private static func parse(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            var value = line[line.index(after: equals)...]
            for quote in ["\"", "'"] where value.count >= 2 && value.hasPrefix(quote) && value.hasSuffix(quote) {
                value = value.dropFirst().dropLast()
                break
            }
            let plain = String(value).replacing("\\\"", with: "\"").replacing("\\$", with: "$").replacing("\\\\", with: "\\")
            values[String(line[..<equals])] = plain
        }
        return values
    }
}
