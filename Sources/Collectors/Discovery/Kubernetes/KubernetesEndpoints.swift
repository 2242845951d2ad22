import Codecs
import Telemetry

/// What stands behind a service: an `Endpoints` object, or a slice of one.
struct KubernetesEndpoints: Sendable, Hashable {
    struct Port: Sendable, Hashable {
        /// nil means any.
        var number: Int64?
        var protocolName: String
        var labels: [Label]
    }

    struct Address: Sendable, Hashable {
        var address: String
        var labels: [Label]
        /// The pod that it belongs to, by its key; empty where it is none.
        var pod: String
        /// The node whose labels may be attached.
        var node: String
    }

    /// Every port is served at every address.
    struct Subset: Sendable, Hashable {
        var ports: [Port]
        var addresses: [Address]
    }

    var metadata: KubernetesMetadata
    var isSlice: Bool
    /// `IPv4`, `IPv6` or `FQDN`; empty where it is no slice.
    var addressType: String
    /// The key of its service.
    var service: String
    var subsets: [Subset]

    /// Reads an `Endpoints` object.
    init(_ object: JSONValue) {
        metadata = KubernetesMetadata(object)
        (isSlice, addressType, service) = (false, "", metadata.key)
        let prefix = "__meta_kubernetes_endpoint_"
        subsets = (object["subsets"]?.array ?? []).map { subset in
            let ports = (subset["ports"]?.array ?? []).map { port in
                let protocolName = port["protocol"]?.string ?? "TCP"
                return Port(
                    number: port["port"]?.int64 ?? 0, protocolName: protocolName,
                    labels: [
                        Label(prefix + "port_name", port["name"]?.string ?? ""), Label(prefix + "port_protocol", protocolName),
                    ])
            }
            var addresses: [Address] = []
            for (list, ready) in [("addresses", "true"), ("notReadyAddresses", "false")] {
                for address in subset[list]?.array ?? [] {
                    let reference = Reference(address["targetRef"])
                    let nodeName = address["nodeName"]?.string ?? ""
                    addresses.append(
                        Address(
                            address: address["ip"]?.string ?? "",
                            labels: [
                                Label(prefix + "ready", ready), Label(prefix + "address_target_kind", reference.kind),
                                Label(prefix + "address_target_name", reference.name), Label(prefix + "node_name", nodeName),
                                Label(prefix + "hostname", address["hostname"]?.string ?? ""),
                            ], pod: reference.pod, node: nodeName.isEmpty ? reference.node : nodeName))
                }
            }
            return Subset(ports: ports, addresses: addresses)
        }
    }

    /// Reads an `EndpointSlice`.
    init(slice object: JSONValue) {
        metadata = KubernetesMetadata(object)
        isSlice = true
        addressType = object["addressType"]?.string ?? ""
        let name = metadata.labels.first { $0.name == "kubernetes.io/service-name" }?.value ?? ""
        service = name.isEmpty ? "" : KubernetesMetadata.key(metadata.namespace, name)
        let prefix = "__meta_kubernetes_endpointslice_"
        let ports = (object["ports"]?.array ?? []).map { port in
            let number = port["port"]?.int64
            return Port(
                number: number, protocolName: port["protocol"]?.string ?? "",
                labels: [
                    Label(prefix + "port_name", port["name"]?.string ?? ""),
                    Label(prefix + "port_protocol", port["protocol"]?.string ?? ""),
                    Label(prefix + "port", number.map { String($0) } ?? ""),
                    Label(prefix + "port_app_protocol", port["appProtocol"]?.string ?? ""),
                ])
        }
        var addresses: [Address] = []
        for endpoint in object["endpoints"]?.array ?? [] {
            let reference = Reference(endpoint["targetRef"])
            let labels = Self.labels(ofSliceEndpoint: endpoint, reference)
            let nodeName = endpoint["nodeName"]?.string ?? ""
            for address in endpoint["addresses"]?.array ?? [] {
                addresses.append(
                    Address(
                        address: address.string ?? "", labels: labels, pod: reference.pod,
                        node: reference.node.isEmpty ? nodeName : reference.node))
            }
        }
        subsets = [Subset(ports: ports, addresses: addresses)]
    }

    private static func labels(ofSliceEndpoint endpoint: JSONValue, _ reference: Reference) -> [Label] {
        let prefix = "__meta_kubernetes_endpointslice_"
        var labels = [
            Label(prefix + "endpoint_hostname", endpoint["hostname"]?.string ?? ""),
            Label(prefix + "endpoint_node_name", endpoint["nodeName"]?.string ?? ""),
            Label(prefix + "endpoint_zone", endpoint["zone"]?.string ?? ""),
            Label(prefix + "address_target_kind", reference.kind), Label(prefix + "address_target_name", reference.name),
        ]
        for condition in ["ready", "serving", "terminating"] {
            if let value = endpoint["conditions"]?[condition]?.bool {
                labels.append(Label(prefix + "endpoint_conditions_" + condition, "\(value)"))
            }
        }
        for member in endpoint["deprecatedTopology"]?.object?.members ?? [] {
            let name = LabelName.sanitize(member.name)
            labels.append(Label(prefix + "endpoint_topology_" + name, member.value.string ?? ""))
            labels.append(Label(prefix + "endpoint_topology_present_" + name, "true"))
        }
        return labels
    }

    /// The object that an address belongs to.
    private struct Reference {
        var kind: String
        var name: String
        /// Its key, if it is a pod.
        var pod: String
        /// Its name, if it is a node.
        var node: String

        init(_ value: JSONValue?) {
            kind = value?["kind"]?.string ?? ""
            name = value?["name"]?.string ?? ""
            pod = kind == "Pod" ? KubernetesMetadata.key(value?["namespace"]?.string ?? "", name) : ""
            node = kind == "Node" ? name : ""
        }
    }

    // MARK: - Targets

    func group(_ found: inout KubernetesLookup) -> TargetGroup {
        let role = isSlice ? "endpointslice" : "endpoints"
        var group = TargetGroup(source: role + "/" + metadata.key, targets: [])
        var labels = [
            Label("__meta_kubernetes_namespace", metadata.namespace),
            Label("__meta_kubernetes_endpointslice_address_type", addressType),
        ]
        labels += metadata.metaLabelsAndName(role)
        if case .service(let service)? = found.object(.service, service) {
            // The second slice of a service with two families has the same targets again.
            if isSlice, !service.primaryFamily.isEmpty, service.primaryFamily != addressType { return group }
            labels += service.labels
        }
        group.labels = Labels(labels + found.namespaceLabels(metadata.namespace))

        var pods: [(pod: KubernetesPod, labels: [Label], ports: Set<Int64>)] = []
        for subset in subsets {
            for port in subset.ports {
                for address in subset.addresses {
                    let text = port.number.map { String.hostPort(address.address, $0) } ?? address.address
                    var target = [Label(TargetGroup.addressLabel, text)] + port.labels + address.labels
                    if !address.node.isEmpty { target += found.nodeLabels(address.node) }
                    if !address.pod.isEmpty, case .pod(let pod)? = found.object(.pod, address.pod) {
                        let index = pods.firstIndex { $0.pod.metadata.key == address.pod } ?? pods.endIndex
                        if index == pods.endIndex { pods.append((pod, pod.labels(&found), [])) }
                        target += pods[index].labels + containerLabels(pod, port)
                        if let number = port.number { pods[index].ports.insert(number) }
                    }
                    group.targets.append(Labels(target))
                }
            }
        }
        // What a pod serves beside the service's ports are targets as well.
        for (pod, labels, ports) in pods where !pod.ip.isEmpty {
            for container in pod.containers {
                for port in container.ports where !ports.contains(port.number) {
                    group.targets.append(
                        Labels(
                            [Label(TargetGroup.addressLabel, .hostPort(pod.ip, port.number))] + labels
                                + Self.labels(container, port, protocolName: port.protocolName)))
                }
            }
        }
        return group
    }

    /// The labels of the container whose port the endpoint is; of several the last one's.
    private func containerLabels(_ pod: KubernetesPod, _ port: Port) -> [Label] {
        var labels: [Label] = []
        for container in pod.containers {
            guard let own = container.ports.first(where: { $0.number == port.number }) else { continue }
            labels = Self.labels(container, own, protocolName: isSlice ? own.protocolName : port.protocolName)
        }
        return labels
    }

    private static func labels(
        _ container: KubernetesPod.Container, _ port: KubernetesPod.Port, protocolName: String
    ) -> [Label] {
        [
            Label(KubernetesPod.prefix + "container_name", container.name),
            Label(KubernetesPod.prefix + "container_image", container.image),
            Label(KubernetesPod.prefix + "container_init", "\(container.isInit)"),
        ] + KubernetesPod.labels(of: port, protocolName: protocolName)
    }
}
