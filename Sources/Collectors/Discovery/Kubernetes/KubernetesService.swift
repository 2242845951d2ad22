import Codecs
import Telemetry

/// A service.
struct KubernetesService: Sendable, Hashable {
    struct Port: Sendable, Hashable {
        var name: String
        var number: Int64
        var protocolName: String
    }

    var metadata: KubernetesMetadata
    var type: String
    var clusterIP: String
    var externalName: String
    /// Those of its load balancer, separated by commas.
    var loadBalancerIP: String
    var ports: [Port]
    /// The first family of a service that has two; empty otherwise.
    var primaryFamily: String

    init(_ object: JSONValue) {
        metadata = KubernetesMetadata(object)
        let spec = object["spec"]
        type = spec?["type"]?.string ?? ""
        clusterIP = spec?["clusterIP"]?.string ?? ""
        externalName = spec?["externalName"]?.string ?? ""
        let balancers = (object["status"]?["loadBalancer"]?["ingress"]?.array ?? []).compactMap { $0["ip"]?.string }
            .filter { !$0.isEmpty }
        loadBalancerIP = balancers.isEmpty ? spec?["loadBalancerIP"]?.string ?? "" : balancers.joined(separator: ",")
        ports = (spec?["ports"]?.array ?? []).map { port in
            Port(
                name: port["name"]?.string ?? "", number: port["port"]?.int64 ?? 0, protocolName: port["protocol"]?.string ?? "TCP")
        }
        let isDualStack = ["PreferDualStack", "RequireDualStack"].contains(spec?["ipFamilyPolicy"]?.string ?? "")
        primaryFamily = isDualStack ? spec?["ipFamilies"]?[0]?.string ?? "" : ""
    }

    static let prefix = "__meta_kubernetes_service_"

    /// The labels of the service itself.
    var labels: [Label] {
        [Label("__meta_kubernetes_namespace", metadata.namespace)] + metadata.metaLabelsAndName("service")
    }

    func group(_ found: inout KubernetesLookup) -> TargetGroup {
        let host = "\(metadata.name).\(metadata.namespace).svc"
        let targets = ports.map { port in
            Labels([
                Label(TargetGroup.addressLabel, .hostPort(host, port.number)), Label(Self.prefix + "port_name", port.name),
                Label(Self.prefix + "port_number", String(port.number)), Label(Self.prefix + "port_protocol", port.protocolName),
                Label(Self.prefix + "type", type),
                type == "ExternalName"
                    ? Label(Self.prefix + "external_name", externalName) : Label(Self.prefix + "cluster_ip", clusterIP),
                Label(Self.prefix + "loadbalancer_ip", type == "LoadBalancer" ? loadBalancerIP : ""),
            ])
        }
        return TargetGroup(
            source: "svc/" + metadata.key, targets: targets, labels: Labels(labels + found.namespaceLabels(metadata.namespace)))
    }
}
