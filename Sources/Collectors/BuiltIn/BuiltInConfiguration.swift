package import Settings

/// What `apus.yaml` says of the host, of containers and of probes.
package struct BuiltInConfiguration: Sendable, Hashable {
    /// The keys of `apus.yaml` that are read here.
    package static let keys = ["host_metrics", "container_metrics", "probes", "blackbox"]

    /// nil where the host is not measured.
    package var host: HostMetricsConfiguration?
    /// nil where containers are not measured.
    package var containers: ContainerMetricsConfiguration?
    package var probes = ProbeConfiguration()

    package init() {}

    /// - Parameter root: the whole file.
    package init(_ root: ConfigurationMapping, file: String) throws(ConfigurationError) {
        if let node = root["host_metrics"] { host = try HostMetricsConfiguration.load(node, file: file) }
        if let node = root["container_metrics"] { containers = try ContainerMetricsConfiguration.load(node) }
        probes = try ProbeConfiguration.load(blackbox: root["blackbox"], probes: root["probes"], file: file)
    }

    /// Every source there is to run.
    var sources: [BuiltInSourceConfiguration] {
        var sources: [BuiltInSourceConfiguration] = []
        if let host { sources.append(.host(host)) }
        if let containers { sources.append(.containers(containers)) }
        sources += probes.checks.map { .probe($0) }
        return sources
    }
}

/// One source to run: compared with the one that runs when the configuration is read again.
enum BuiltInSourceConfiguration: Sendable, Hashable {
    case host(HostMetricsConfiguration)
    case containers(ContainerMetricsConfiguration)
    case probe(ProbeCheck)
}
