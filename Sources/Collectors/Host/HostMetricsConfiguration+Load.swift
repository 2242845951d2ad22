import Settings
import Telemetry

extension HostMetricsConfiguration {
    private static let keys = [
        "interval", "root", "procfs", "sysfs", "rootfs", "collectors", "labels", "mount_points_exclude", "fs_types_exclude",
        "disk_devices_exclude", "net_devices_exclude", "textfile",
    ]

    /// Reads `host_metrics: true`, or a mapping.
    ///
    /// - Returns: nil for `false`.
    static func load(_ node: ConfigurationNode, file: String) throws(ConfigurationError) -> HostMetricsConfiguration? {
        var configuration = HostMetricsConfiguration()
        if case .scalar = node.content { return try node.bool ? configuration : nil }
        let mapping = try node.mapping(keys)
        if let value = mapping["interval"] { configuration.interval = try BuiltInSettings.interval(value) }
        if let value = mapping["root"] { configuration.paths = HostPaths(root: try value.nonEmptyString) }
        if let value = mapping["procfs"] { configuration.paths.procfs = HostPaths.trimmed(try value.nonEmptyString) }
        if let value = mapping["sysfs"] { configuration.paths.sysfs = HostPaths.trimmed(try value.nonEmptyString) }
        if let value = mapping["rootfs"] { configuration.paths.rootfs = HostPaths.trimmed(try value.nonEmptyString) }
        if let value = mapping["collectors"] { configuration.collectors = try collectors(value, configuration.collectors) }
        if let value = mapping["labels"] { configuration.labels = try BuiltInSettings.labels(value, over: configuration.labels) }
        // An empty expression leaves nothing out, so the key is asked for, not its value.
        if let value = try BuiltInSettings.pattern("mount_points_exclude", mapping) { configuration.mountPoints = value }
        if let value = try BuiltInSettings.pattern("fs_types_exclude", mapping) { configuration.filesystemTypes = value }
        if let value = try BuiltInSettings.pattern("disk_devices_exclude", mapping) { configuration.diskDevices = value }
        if let value = try BuiltInSettings.pattern("net_devices_exclude", mapping) { configuration.netDevices = value }
        if let value = mapping["textfile"] {
            let folders = if case .scalar = value.content { [try value.nonEmptyString] } else { try value.strings }
            configuration.textfileFolders = folders.map { FileGlob.resolve($0, relativeToFile: file) }
        }
        return configuration
    }

    /// A list names the only ones to run; a mapping turns single ones on or off.
    private static func collectors(_ node: ConfigurationNode, _ standard: Set<String>) throws(ConfigurationError) -> Set<String> {
        if case .list(let items) = node.content {
            var names: Set<String> = []
            for item in items { names.insert(try item.choice(HostCollectorTable.names)) }
            return names
        }
        var names = standard
        for (key, value) in try node.mapping(HostCollectorTable.names).pairs {
            if try value.bool { names.insert(try key.string) } else { names.remove(try key.string) }
        }
        return names
    }
}
