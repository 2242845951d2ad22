import Settings

extension ContainerMetricsConfiguration {
    private static let keys = ["interval", "root", "cgroup_root", "procfs", "sysfs", "docker", "labels", "exclude", "container_labels"]

    /// Reads `container_metrics: true`, or a mapping.
    ///
    /// - Returns: nil for `false`.
    static func load(_ node: ConfigurationNode) throws(ConfigurationError) -> ContainerMetricsConfiguration? {
        var configuration = ContainerMetricsConfiguration()
        if case .scalar = node.content { return try node.bool ? configuration : nil }
        let mapping = try node.mapping(keys)
        if let value = mapping["interval"] { configuration.interval = try BuiltInSettings.interval(value) }
        if let value = mapping["root"] {
            let paths = HostPaths(root: try value.nonEmptyString)
            (configuration.procfs, configuration.sysfs) = (paths.procfs, paths.sysfs)
            configuration.cgroupRoot = paths.sysfs + "/fs/cgroup"
            configuration.dockerSocket = paths.rootfs + "/var/run/docker.sock"
        }
        if let value = mapping["cgroup_root"] { configuration.cgroupRoot = HostPaths.trimmed(try value.nonEmptyString) }
        if let value = mapping["procfs"] { configuration.procfs = HostPaths.trimmed(try value.nonEmptyString) }
        if let value = mapping["sysfs"] { configuration.sysfs = HostPaths.trimmed(try value.nonEmptyString) }
        if let value = mapping["docker"] { configuration.dockerSocket = try socket(value) }
        if let value = mapping["labels"] { configuration.labels = try BuiltInSettings.labels(value, over: configuration.labels) }
        if let value = try BuiltInSettings.pattern("exclude", mapping) { configuration.exclude = value }
        if let value = mapping["container_labels"] { configuration.labelNames = Set(try value.strings) }
        return configuration
    }

    /// `false`, a path, or a path after `unix://`.
    private static func socket(_ node: ConfigurationNode) throws(ConfigurationError) -> String? {
        let text = try node.nonEmptyString
        if text == "false" { return nil }
        let path = text.hasPrefix("unix://") ? String(text.dropFirst("unix://".count)) : text
        guard path.hasPrefix("/") else { throw node.unexpected("false, or the path of a socket such as /var/run/docker.sock") }
        return path
    }
}
