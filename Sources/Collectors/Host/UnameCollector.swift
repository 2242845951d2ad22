import Glibc
import Telemetry

/// `node_uname_info`: what uname(2) says.
struct UnameCollector: HostCollector {
    private static let family = MetricFamily(
        "node_uname_info", .gauge, "Labeled system information as provided by the uname system call.",
        ["sysname", "release", "version", "machine", "nodename", "domainname"])

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var name = utsname()
        guard uname(&name) == 0 else { throw .failed("uname: \(String(cString: strerror(errno)))") }
        round.recorder.add(
            Self.family,
            [
                Self.text(name.sysname), Self.text(name.release), Self.text(name.version), Self.text(name.machine), Self.text(name.nodename),
                // glibc shows the field under this name only to those who ask for GNU's extensions.
                Self.text(name.__domainname),
            ], 1)
    }

    private static func text<Field>(_ field: Field) -> String {
        withUnsafeBytes(of: field) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
