import Codecs
import Telemetry

/// Asks a swarm for what it runs and where.
struct SwarmLookup: Sendable {
    let api: DockerAPI
    let port: Int
    let transport: HTTPTransport

    private static let prefix = "__meta_dockerswarm_"

    // MARK: - Nodes

    func nodes() async throws(DiscoveryError) -> [Labels] {
        var targets: [Labels] = []
        for node in try await api.list("/nodes", isFiltered: true, transport) {
            var labels = Self.labels(ofNode: node)
            labels.append(
                Label(Self.prefix + "node_engine_version", node["Description"]?["Engine"]?["EngineVersion"]?.string ?? ""))
            if let manager = node["ManagerStatus"], !manager.isNull {
                labels.append(Label(Self.prefix + "node_manager_leader", "\(manager["Leader"]?.bool ?? false)"))
                labels.append(Label(Self.prefix + "node_manager_reachability", manager["Reachability"]?.string ?? ""))
                labels.append(Label(Self.prefix + "node_manager_address", manager["Addr"]?.string ?? ""))
            }
            let address = node["Status"]?["Addr"]?.string ?? ""
            labels.append(Label(TargetGroup.addressLabel, .hostPort(address, port)))
            targets.append(Labels(labels))
        }
        return targets
    }

    private static func labels(ofNode node: JSONValue) -> [Label] {
        let (spec, description, status) = (node["Spec"], node["Description"], node["Status"])
        return [
            Label(prefix + "node_id", node["ID"]?.string ?? ""),
            Label(prefix + "node_role", spec?["Role"]?.string ?? ""),
            Label(prefix + "node_availability", spec?["Availability"]?.string ?? ""),
            Label(prefix + "node_hostname", description?["Hostname"]?.string ?? ""),
            Label(prefix + "node_platform_architecture", description?["Platform"]?["Architecture"]?.string ?? ""),
            Label(prefix + "node_platform_os", description?["Platform"]?["OS"]?.string ?? ""),
            Label(prefix + "node_status", status?["State"]?.string ?? ""),
            Label(prefix + "node_address", status?["Addr"]?.string ?? ""),
        ] + (spec?["Labels"]).labels(prefix + "node_label_")
    }

    // MARK: - Services

    func services() async throws(DiscoveryError) -> [Labels] {
        let services = try await api.list("/services", isFiltered: true, transport)
        let networks = try await api.networkLabels(Self.prefix, transport)
        var targets: [Labels] = []
        for service in services {
            var common = Self.labels(ofService: service)
            if let container = service["Spec"]?["TaskTemplate"]?["ContainerSpec"], !container.isNull {
                common.append(Label(Self.prefix + "service_task_container_hostname", container["Hostname"]?.string ?? ""))
                common.append(Label(Self.prefix + "service_task_container_image", container["Image"]?.string ?? ""))
            }
            common.append(Label(Self.prefix + "service_updating_status", service["UpdateStatus"]?["State"]?.string ?? ""))
            for address in service["Endpoint"]?["VirtualIPs"]?.array ?? [] {
                let host = try Self.host(of: address["Addr"]?.string ?? "")
                let labels = common + (networks[address["NetworkID"]?.string ?? ""] ?? [])
                let ports = Self.tcpPorts(service["Endpoint"]?["Ports"])
                for port in ports {
                    targets.append(
                        Labels(
                            labels + [
                                Label(Self.prefix + "service_endpoint_port_name", port["Name"]?.string ?? ""),
                                Label(Self.prefix + "service_endpoint_port_publish_mode", port["PublishMode"]?.string ?? ""),
                                Label(TargetGroup.addressLabel, .hostPort(host, port["PublishedPort"]?.int64 ?? 0)),
                            ]))
                }
                if ports.isEmpty {
                    targets.append(Labels(labels + [Label(TargetGroup.addressLabel, .hostPort(host, self.port))]))
                }
            }
        }
        return targets
    }

    private static func labels(ofService service: JSONValue) -> [Label] {
        let mode = service["Spec"]?["Mode"]
        let modeName = mode?["Global"] != nil ? "global" : mode?["Replicated"] != nil ? "replicated" : ""
        return [
            Label(prefix + "service_id", service["ID"]?.string ?? ""),
            Label(prefix + "service_name", service["Spec"]?["Name"]?.string ?? ""),
            Label(prefix + "service_mode", modeName),
        ] + (service["Spec"]?["Labels"]).labels(prefix + "service_label_")
    }

    // MARK: - Tasks

    func tasks() async throws(DiscoveryError) -> [Labels] {
        let tasks = try await api.list("/tasks", isFiltered: true, transport)
        let services = Self.byID(try await api.list("/services", transport))
        let nodes = Self.byID(try await api.list("/nodes", transport))
        let networks = try await api.networkLabels(Self.prefix, transport)
        var targets: [Labels] = []
        for task in tasks {
            let service = services[task["ServiceID"]?.string ?? ""]
            let node = nodes[task["NodeID"]?.string ?? ""]
            let status = task["Status"]
            var common = [
                Label(Self.prefix + "task_id", task["ID"]?.string ?? ""),
                Label(Self.prefix + "task_desired_state", task["DesiredState"]?.string ?? ""),
                Label(Self.prefix + "task_state", status?["State"]?.string ?? ""),
                Label(Self.prefix + "task_slot", String(task["Slot"]?.int64 ?? 0)),
                Label(Self.prefix + "task_container_id", status?["ContainerStatus"]?["ContainerID"]?.string ?? ""),
            ]
            common += (task["Spec"]?["ContainerSpec"]?["Labels"]).labels(Self.prefix + "container_label_")
            common += (service.map(Self.labels(ofService:)) ?? []) + (node.map(Self.labels(ofNode:)) ?? [])

            let nodeAddress = node?["Status"]?["Addr"]?.string ?? ""
            for port in Self.tcpPorts(status?["PortStatus"]?["Ports"]) {
                targets.append(Self.target(common, port, host: nodeAddress))
            }
            let servicePorts = Self.tcpPorts(service?["Endpoint"]?["Ports"])
            for attachment in task["NetworksAttachments"]?.array ?? [] {
                let labels = common + (networks[attachment["Network"]?["ID"]?.string ?? ""] ?? [])
                for address in attachment["Addresses"]?.array ?? [] {
                    let host = try Self.host(of: address.string ?? "")
                    targets += servicePorts.map { Self.target(labels, $0, host: host) }
                    if servicePorts.isEmpty {
                        targets.append(Labels(labels + [Label(TargetGroup.addressLabel, .hostPort(host, port))]))
                    }
                }
            }
        }
        return targets
    }

    private static func target(_ labels: [Label], _ port: JSONValue, host: String) -> Labels {
        Labels(
            labels + [
                Label(prefix + "task_port_publish_mode", port["PublishMode"]?.string ?? ""),
                Label(TargetGroup.addressLabel, .hostPort(host, port["PublishedPort"]?.int64 ?? 0)),
            ])
    }

    private static func byID(_ items: [JSONValue]) -> [String: JSONValue] {
        Dictionary(items.map { ($0["ID"]?.string ?? "", $0) }) { $1 }
    }

    private static func tcpPorts(_ ports: JSONValue?) -> [JSONValue] {
        (ports?.array ?? []).filter { $0["Protocol"]?.string == "tcp" }
    }

    /// The address of `10.0.0.5/24`.
    private static func host(of network: String) throws(DiscoveryError) -> String {
        let parts = network.split(separator: "/", maxSplits: 1)
        guard parts.count == 2, IPNetwork.bytes(of: String(parts[0])) != nil else {
            throw DiscoveryError("error while parsing address \(network.debugDescription)")
        }
        return String(parts[0])
    }
}
