package import Settings

/// `static_configs`: targets by name.
package struct StaticDiscovery: DiscoveryConfiguration, Discovery {
    package static let name = "static"

    package var groups: [TargetGroup]

    package init(groups: [TargetGroup]) {
        self.groups = groups
    }

    /// Reads the whole list.
    package init(_ node: ConfigurationNode) throws(ConfigurationError) {
        groups = []
        for (index, item) in try node.list.enumerated() {
            // Prometheus refuses URLs here at once, other discoveries when they find them.
            for target in try item.mapping(["targets", "labels"])["targets"]?.list ?? [] {
                let address = try target.nonEmptyString
                guard !address.contains("/") else {
                    throw target.error(
                        "\(address.debugDescription) is not a valid hostname: expected host:port without scheme or path")
                }
            }
            groups.append(try TargetGroup(item, source: String(index)))
        }
    }

    package init(_ node: ConfigurationNode, warnings: inout [ConfigurationWarning]) throws(ConfigurationError) {
        try self.init(node)
    }

    package func makeDiscovery(_ context: DiscoveryContext) -> any Discovery { self }

    package var immediateGroups: [TargetGroup]? { groups }

    package func run(_ updates: DiscoveryUpdates) async {
        updates.replace(groups)
    }
}
