import Codecs
package import Settings
import Telemetry

/// `docker_sd_configs`: the containers of one Docker daemon.
package struct DockerDiscovery: DiscoveryConfiguration {
    package static let name = "docker"

    var api: DockerAPI
    /// Of containers that expose none.
    package var port: Int
    /// The address of containers in the host's network.
    package var hostNetworkingHost: String
    /// Whether a container in several networks is one target, in the first of them by name.
    package var matchesFirstNetwork: Bool

    package init(_ node: ConfigurationNode, warnings: inout [ConfigurationWarning]) throws(ConfigurationError) {
        let fields = try node.mapping(DockerAPI.keys + ["host_networking_host", "match_first_network"])
        api = try DockerAPI(node, fields)
        port = try fields.port(default: 80)
        hostNetworkingHost = try fields["host_networking_host"]?.string ?? "localhost"
        matchesFirstNetwork = try fields["match_first_network"]?.bool ?? true
    }

    package func makeDiscovery(_ context: DiscoveryContext) -> any Discovery {
        Lookup(configuration: self, transport: context.transport)
    }

    private struct Lookup: RefreshedDiscovery {
        let configuration: DockerDiscovery
        let transport: HTTPTransport

        var refreshInterval: Duration { configuration.api.refreshInterval }

        func refresh() async throws -> [TargetGroup] {
            let containers = try await configuration.api.list("/containers/json", isFiltered: true, transport)
            let networks = try await configuration.api.networkLabels(DockerDiscovery.prefix, transport)
            return [TargetGroup(source: "Docker", targets: configuration.targets(containers, networks))]
        }
    }

    private static let prefix = "__meta_docker_"

    /// What a container's network says that matters here.
    private struct Endpoint {
        var networkID: String
        var address: String
    }

    private func targets(_ containers: [JSONValue], _ networks: [String: [Label]]) -> [Labels] {
        var byID: [String: JSONValue] = [:]
        for container in containers { byID[container["Id"]?.string ?? ""] = container }
        var targets: [Labels] = []
        for container in containers {
            guard let names = container["Names"]?.array, let name = names.first?.string else { continue }
            let mode = container["HostConfig"]?["NetworkMode"]?.string ?? ""
            var common = [
                Label(Self.prefix + "container_id", container["Id"]?.string ?? ""),
                Label(Self.prefix + "container_name", name),
                Label(Self.prefix + "container_network_mode", mode),
                Label(Self.prefix + "container_image", container["Image"]?.string ?? ""),
                Label(Self.prefix + "container_image_id", container["ImageID"]?.string ?? ""),
            ]
            common += container["Labels"].labels(Self.prefix + "container_label_")
            for endpoint in endpoints(of: container, byID) {
                let labels = common + [Label(Self.prefix + "network_ip", endpoint.address)]
                targets += self.targets(container, mode, endpoint, labels, networks[endpoint.networkID] ?? [])
            }
        }
        return targets
    }

    /// A target for each TCP port, or one where there is none.
    private func targets(
        _ container: JSONValue, _ mode: String, _ endpoint: Endpoint, _ labels: [Label], _ network: [Label]
    ) -> [Labels] {
        var targets: [Labels] = []
        for port in container["Ports"]?.array ?? [] where port["Type"]?.string == "tcp" {
            let number = port["PrivatePort"]?.int64 ?? 0
            var own = labels + [Label(Self.prefix + "port_private", String(number))]
            if let shown = port["PublicPort"]?.int64, shown > 0 {
                own.append(Label(Self.prefix + "port_public", String(shown)))
                own.append(Label(Self.prefix + "port_public_ip", port["IP"]?.string ?? ""))
            }
            own.append(Label(TargetGroup.addressLabel, .hostPort(endpoint.address, number)))
            targets.append(Labels(own + network))
        }
        guard targets.isEmpty else { return targets }
        let address = mode == "host" ? hostNetworkingHost : String.hostPort(endpoint.address, port)
        return [Labels(labels + network + [Label(TargetGroup.addressLabel, address)])]
    }

    /// The networks of a container, or of the one whose network it shares.
    private func endpoints(of container: JSONValue, _ byID: [String: JSONValue]) -> [Endpoint] {
        var networks = container["NetworkSettings"]?["Networks"]?.object?.members ?? []
        var mode = container["HostConfig"]?["NetworkMode"]?.string ?? ""
        var seen: Set<String> = []
        while networks.isEmpty, mode.hasPrefix("container:") {
            let id = String(mode.dropFirst("container:".count))
            guard seen.insert(id).inserted, let other = byID[id] else { break }
            networks = other["NetworkSettings"]?["Networks"]?.object?.members ?? []
            mode = other["HostConfig"]?["NetworkMode"]?.string ?? ""
        }
        networks = networks.filter { !$0.value.isNull }.sorted { $0.name.utf8Precedes($1.name) }
        if matchesFirstNetwork, networks.count > 1 { networks = [networks[0]] }
        return networks.map { network in
            let address = network.value["IPAddress"]?.string ?? ""
            return Endpoint(
                networkID: network.value["NetworkID"]?.string ?? "",
                address: address.isEmpty ? network.value["GlobalIPv6Address"]?.string ?? "" : address)
        }
    }
}
