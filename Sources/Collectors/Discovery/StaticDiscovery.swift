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
            guard !item.isNull else { throw item.error("empty or null section in static_configs") }
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
