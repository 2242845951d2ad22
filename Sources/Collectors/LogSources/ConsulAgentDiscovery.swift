import Codecs
package import Settings
import Telemetry

/// `consulagent_sd_configs`: the services that are registered with one Consul agent (Promtail, "Scraping configs", "consulagent_sd_config").
package struct ConsulAgentDiscovery: DiscoveryConfiguration {
    package static let name = "consulagent"

    /// Where the agent is and what is wanted of it; it is asked in the same way as a catalog.
    package var consul: ConsulDiscovery

    package init(_ node: ConfigurationNode, warnings: inout [ConfigurationWarning]) throws(ConfigurationError) {
        consul = try ConsulDiscovery(node, warnings: &warnings)
    }

    package func makeDiscovery(_ context: DiscoveryContext) -> any Discovery {
        Lookup(consul: consul, transport: context.transport)
    }

    private struct Lookup: RefreshedDiscovery {
        let consul: ConsulDiscovery
        let transport: HTTPTransport

        var refreshInterval: Duration { consul.refreshInterval }

        private static let prefix = "__meta_consulagent_"

        func refresh() async throws -> [TargetGroup] {
            let api = ConsulAPI(configuration: consul, transport: transport)
            let agent = try await api.get("/v1/agent/self").json
            let services = try await api.get("/v1/agent/services").json
            let checks = try await api.get("/v1/agent/checks").json
            var groups: [String: TargetGroup] = [:]
            for service in (services.object?.members ?? []).map(\.value) {
                let name = service["Service"]?.string ?? ""
                let tags = (service["Tags"]?.array ?? []).compactMap(\.string)
                guard consul.includes(service: name, tags: tags) else { continue }
                let labels = Labels([
                    Label(Self.prefix + "service", name),
                    Label(Self.prefix + "dc", consul.datacenter.isEmpty ? agent["Config"]?["Datacenter"]?.string ?? "" : consul.datacenter),
                ])
                groups[name, default: TargetGroup(source: name, targets: [], labels: labels)].targets.append(
                    target(service, tags, agent, checks))
            }
            return Array(groups.values)
        }

        private func target(_ service: JSONValue, _ tags: [String], _ agent: JSONValue, _ checks: JSONValue) -> Labels {
            let address = service["Address"]?.string ?? ""
            let agentAddress = agent["Member"]?["Addr"]?.string ?? ""
            let port = service["Port"]?.int64 ?? 0
            let id = service["ID"]?.string ?? ""
            // Separators at both ends, so that an expression need not care where a tag stands.
            let tagText = consul.tagSeparator + tags.joined(separator: consul.tagSeparator) + consul.tagSeparator
            var labels = [
                Label(TargetGroup.addressLabel, .hostPort(address.isEmpty ? agentAddress : address, port)),
                Label(Self.prefix + "address", agentAddress),
                Label(Self.prefix + "node", agent["Config"]?["NodeName"]?.string ?? ""),
                Label(Self.prefix + "tags", tagText),
                Label(Self.prefix + "service_address", address),
                Label(Self.prefix + "service_port", String(port)),
                Label(Self.prefix + "service_id", id),
                Label(Self.prefix + "health", Self.health(of: id, checks)),
            ]
            labels += (agent["Meta"]).labels(Self.prefix + "metadata_")
            labels += (service["Meta"]).labels(Self.prefix + "service_metadata_")
            for tagged in service["TaggedAddresses"]?.object?.members ?? [] {
                let place = String.hostPort(tagged.value["Address"]?.string ?? "", tagged.value["Port"]?.int64 ?? 0)
                labels.append(Label(Self.prefix + "tagged_address_" + LabelName.sanitize(tagged.name), place))
            }
            return Labels(labels)
        }

        /// The worst state of a service's own checks and of the node's.
        private static func health(of id: String, _ checks: JSONValue) -> String {
            var states: Set<String> = []
            for check in (checks.object?.members ?? []).map(\.value) {
                let service = check["ServiceID"]?.string ?? ""
                if service.isEmpty || service == id { states.insert(check["Status"]?.string ?? "") }
            }
            return ["maintenance", "critical", "warning"].first(where: states.contains) ?? "passing"
        }
    }
}
