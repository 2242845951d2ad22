import Codecs
import Telemetry

/// A node of a cluster.
struct KubernetesNode: Sendable, Hashable {
    var metadata: KubernetesMetadata
    var providerID: String
    /// Type and status, in lower case.
    var conditions: [Label]
    /// Type and address.
    var addresses: [Label]
    var kubeletPort: Int64

    init(_ object: JSONValue) {
        metadata = KubernetesMetadata(object)
        providerID = object["spec"]?["providerID"]?.string ?? ""
        let status = object["status"]
        conditions = (status?["conditions"]?.array ?? []).map {
            Label(($0["type"]?.string ?? "").lowercased(), ($0["status"]?.string ?? "").lowercased())
        }
        addresses = (status?["addresses"]?.array ?? []).map { Label($0["type"]?.string ?? "", $0["address"]?.string ?? "") }
        kubeletPort = status?["daemonEndpoints"]?["kubeletEndpoint"]?["Port"]?.int64 ?? 0
    }

    /// The order in which addresses are preferred.
    private static let addressTypes = [
        "InternalIP", "InternalDNS", "ExternalIP", "ExternalDNS", "LegacyHostIP", "Hostname",
    ]

    /// nil for a node without an address.
    var group: TargetGroup? {
        var address: String?
        for type in Self.addressTypes where address == nil { address = addresses.first { $0.name == type }?.value }
        guard let address else { return nil }
        var target = [Label(TargetGroup.addressLabel, .hostPort(address, kubeletPort)), Label("instance", metadata.name)]
        for (index, entry) in addresses.enumerated() where !addresses[..<index].contains(where: { $0.name == entry.name }) {
            target.append(Label(LabelName.sanitize("__meta_kubernetes_node_address_" + entry.name), entry.value))
        }
        var labels = [Label("__meta_kubernetes_node_provider_id", providerID)]
        labels += conditions.map { Label("__meta_kubernetes_node_condition_" + LabelName.sanitize($0.name), $0.value) }
        labels += metadata.metaLabelsAndName("node")
        return TargetGroup(source: "node/" + metadata.name, targets: [Labels(target)], labels: Labels(labels))
    }
}
