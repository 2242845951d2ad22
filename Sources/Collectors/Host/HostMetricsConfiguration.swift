package import Telemetry

/// How the host is measured: `host_metrics` of `apus.yaml`.
package struct HostMetricsConfiguration: Sendable, Hashable {
    package static let job = "node"

    package var interval = Duration.seconds(15)
    package var paths = HostPaths()
    /// The collectors that run.
    package var collectors = Set(HostCollectorTable.names)
    /// `job`, `instance` and more.
    package var labels: Labels
    /// What node exporter leaves out by default (1.10).
    package var mountPoints = ExcludePattern.standard(
        "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)")
    package var filesystemTypes = ExcludePattern.standard(
        "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|"
            + "rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$")
    package var diskDevices = ExcludePattern.standard("^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$")
    package var netDevices: ExcludePattern?
    /// Folders, or globs of them, with `*.prom` files.
    package var textfileFolders: [String] = []

    package init(labels: Labels = Labels(["job": HostMetricsConfiguration.job, "instance": HostName.current])) {
        self.labels = labels
    }
}
