import Glibc
import Patterns
import Telemetry

/// `node_filesystem_*`: size and use of each mounted file system.
struct FilesystemCollector: HostCollector {
    private static let labels = ["device", "mountpoint", "fstype", "device_error"]
    private static let size = family("size_bytes", "Filesystem size in bytes.")
    private static let free = family("free_bytes", "Filesystem free space in bytes.")
    private static let available = family("avail_bytes", "Filesystem space available to non-root users in bytes.")
    private static let files = family("files", "Filesystem total file nodes.")
    private static let filesFree = family("files_free", "Filesystem total free file nodes.")
    private static let readOnly = family("readonly", "Filesystem read-only status.")
    private static let deviceError = family(
        "device_error", "Whether an error occurred while getting statistics for the given device.")
    private static let mountInfo = MetricFamily(
        "node_filesystem_mount_info", .gauge, "Filesystem mount information.", ["device", "major", "minor", "mountpoint"])

    private let mountPointExclude: Pattern?
    private let typeExclude: Pattern?
    private let guardian = StatfsGuardian()
    /// Whether a mount point and a type are left out, by both.
    private var isExcluded: [String: Bool] = [:]

    init(mountPointExclude: Pattern?, typeExclude: Pattern?) {
        self.mountPointExclude = mountPointExclude
        self.typeExclude = typeExclude
    }

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var seen: Set<[String]> = []
        for mount in try Self.mounts(round.paths) where !isExcluded(mount) {
            let outcome = guardian.statistics(round.paths.rootfs + mount.point, isRemote: mount.isRemote)
            var error = ""
            if case .failure(let failure) = outcome { error = failure.description }
            let values = [mount.device, mount.point, mount.type, error]
            // The same device may be mounted at the same place twice, one above the other.
            guard seen.insert(values).inserted else { continue }
            round.recorder.add(Self.deviceError, values, error.isEmpty ? 0 : 1)
            round.recorder.add(Self.readOnly, values, mount.isReadOnly ? 1 : 0)
            guard case .success(let figures) = outcome else { continue }
            let block = Double(figures.f_frsize)
            round.recorder.add(Self.size, values, Double(figures.f_blocks) * block)
            round.recorder.add(Self.free, values, Double(figures.f_bfree) * block)
            round.recorder.add(Self.available, values, Double(figures.f_bavail) * block)
            round.recorder.add(Self.files, values, Double(figures.f_files))
            round.recorder.add(Self.filesFree, values, Double(figures.f_ffree))
            round.recorder.add(Self.mountInfo, [mount.device, mount.major, mount.minor, mount.point], 1)
        }
    }

    private mutating func isExcluded(_ mount: Mount) -> Bool {
        let key = mount.type + " " + mount.point
        if let known = isExcluded[key] { return known }
        if isExcluded.count >= 65_536 { isExcluded.removeAll() }
        let result = typeExclude?.matchesPart(mount.type) == true || mountPointExclude?.matchesPart(mount.point) == true
        isExcluded[key] = result
        return result
    }

    /// The mounts of the host's first process, as it sees them; of our own where that is hidden (`hidepid`).
    private static func mounts(_ paths: HostPaths) throws(HostCollectorError) -> [Mount] {
        do throws(SystemFileError) {
            if let bytes = try? SystemFile.read(paths.procfs + "/1/mountinfo") { return Mount.parse(bytes, rootfs: paths.rootfs) }
            return Mount.parse(try SystemFile.read(paths.procfs + "/self/mountinfo"), rootfs: paths.rootfs)
        } catch {
            throw HostCollectorError(error)
        }
    }

    private static func family(_ name: String, _ help: String) -> MetricFamily {
        MetricFamily("node_filesystem_" + name, .gauge, help, labels)
    }
}
