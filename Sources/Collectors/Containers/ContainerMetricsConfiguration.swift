package import Telemetry

/// How containers and units are measured: `container_metrics` of `apus.yaml`.
package struct ContainerMetricsConfiguration: Sendable, Hashable {
    package static let job = "cadvisor"

    package var interval = Duration.seconds(15)
    /// Where cgroup v2 is mounted; nil: where systems mount it.
    package var cgroupRoot: String?
    package var procfs = "/proc"
    package var sysfs = "/sys"
    /// The socket that Docker (or Podman) answers on; nil: not asked. One that is not there is no error.
    package var dockerSocket: String? = "/var/run/docker.sock"
    /// `job`, `instance` and more.
    package var labels: Labels
    /// Ids (paths of cgroups) to leave out: mounts and sockets of systemd use nothing.
    package var exclude = ExcludePattern.standard("\\.(mount|automount|swap|socket)$")
    /// The labels of containers that become `container_label_*`; nil: all.
    package var labelNames: Set<String>?

    package init(labels: Labels = Labels(["job": ContainerMetricsConfiguration.job, "instance": HostName.current])) {
        self.labels = labels
    }
}
