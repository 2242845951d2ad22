import Codecs
package import Settings
import Telemetry

/// `dockerswarm_sd_configs`: the services, tasks or nodes of a swarm.
package struct DockerSwarmDiscovery: DiscoveryConfiguration {
    package static let name = "dockerswarm"

    package enum Role: String, Sendable, Hashable, CaseIterable {
        case services
        case tasks
        case nodes
    }

    var api: DockerAPI
    package var role: Role
    /// Of what publishes none.
    package var port: Int

    package init(_ node: ConfigurationNode, warnings: inout [ConfigurationWarning]) throws(ConfigurationError) {
        let fields = try node.mapping(DockerAPI.keys + ["role"])
        api = try DockerAPI(node, fields)
        guard let roleNode = fields["role"] else { throw node.error("role missing (one of: tasks, services, nodes)") }
        role = Role(rawValue: try roleNode.choice(Role.allCases.map(\.rawValue))) ?? .services
        port = try fields.port(default: 80)
    }

    package func makeDiscovery(_ context: DiscoveryContext) -> any Discovery {
        Lookup(configuration: self, transport: context.transport)
    }

    private struct Lookup: RefreshedDiscovery {
        let configuration: DockerSwarmDiscovery
        let transport: HTTPTransport

        var refreshInterval: Duration { configuration.api.refreshInterval }

        func refresh() async throws -> [TargetGroup] {
            let lookup = SwarmLookup(api: configuration.api, port: configuration.port, transport: transport)
            let targets =
                switch configuration.role {
                case .services: try await lookup.services()
                case .tasks: try await lookup.tasks()
                case .nodes: try await lookup.nodes()
                }
            return [TargetGroup(source: "DockerSwarm", targets: targets)]
        }
    }
}
