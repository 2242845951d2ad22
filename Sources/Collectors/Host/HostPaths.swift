/// Where the host's file systems are: in a container they are mounted elsewhere.
package struct HostPaths: Sendable, Hashable {
    package var procfs = "/proc"
    package var sysfs = "/sys"
    /// Put before each mount point and before `/etc/os-release`; "" for the root itself.
    package var rootfs = ""
    /// udev's database of devices.
    package var udev = "/run/udev/data"

    package init() {}

    /// The host's root mounted at `root`, with its procfs and sysfs below.
    package init(root: String) {
        rootfs = Self.trimmed(root)
        procfs = rootfs + "/proc"
        sysfs = rootfs + "/sys"
        udev = rootfs + "/run/udev/data"
    }

    /// `net` of procfs is a link to the reader's own network namespace; through a mounted procfs the first process is asked for the host's.
    var net: String { procfs == "/proc" ? "/proc/net" : procfs + "/1/net" }

    static func trimmed(_ path: String) -> String {
        var path = path[...]
        while path.hasSuffix("/") { path.removeLast() }
        return String(path)
    }
}
