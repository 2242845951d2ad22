import Codecs
import Telemetry

/// A pod and its containers.
struct KubernetesPod: Sendable, Hashable {
    struct Port: Sendable, Hashable {
        var name: String
        var number: Int64
        var protocolName: String
    }

    struct Container: Sendable, Hashable {
        var name: String
        var image: String
        var id: String
        var isInit: Bool
        var ports: [Port]
    }

    var metadata: KubernetesMetadata
    var ip: String
    var hostIP: String
    var phase: String
    /// `true`, `false` or `unknown`.
    var ready: String
    var nodeName: String
    /// Those that initialise it last.
    var containers: [Container]

    init(_ object: JSONValue) {
        metadata = KubernetesMetadata(object)
        let (spec, status) = (object["spec"], object["status"])
        ip = status?["podIP"]?.string ?? ""
        hostIP = status?["hostIP"]?.string ?? ""
        phase = status?["phase"]?.string ?? ""
        nodeName = spec?["nodeName"]?.string ?? ""
        let condition = (status?["conditions"]?.array ?? []).first { $0["type"]?.string == "Ready" }
        ready = (condition?["status"]?.string ?? "Unknown").lowercased()
        containers = []
        for (list, statuses) in [("containers", "containerStatuses"), ("initContainers", "initContainerStatuses")] {
            for container in spec?[list]?.array ?? [] {
                let name = container["name"]?.string ?? ""
                let own = (status?[statuses]?.array ?? []).first { $0["name"]?.string == name }
                let ports = (container["ports"]?.array ?? []).map { port in
                    Port(
                        name: port["name"]?.string ?? "", number: port["containerPort"]?.int64 ?? 0,
                        protocolName: port["protocol"]?.string ?? "TCP")
                }
                containers.append(
                    Container(
                        name: name, image: container["image"]?.string ?? "", id: own?["containerID"]?.string ?? "",
                        isInit: list == "initContainers", ports: ports))
            }
        }
    }

    static let prefix = "__meta_kubernetes_pod_"

    /// The labels of the pod itself.
    ///
    /// - Parameter found: what its replica set and its job are looked up in.
    func labels(_ found: inout KubernetesLookup) -> [Label] {
        var labels = [
            Label(Self.prefix + "ip", ip), Label(Self.prefix + "ready", ready), Label(Self.prefix + "phase", phase),
            Label(Self.prefix + "node_name", nodeName), Label(Self.prefix + "host_ip", hostIP),
            Label(Self.prefix + "uid", metadata.uid),
        ]
        labels += metadata.metaLabelsAndName("pod")
        guard let owner = metadata.controller else { return labels }
        labels.append(Label(Self.prefix + "controller_kind", owner.kind))
        labels.append(Label(Self.prefix + "controller_name", owner.name))
        let key = KubernetesMetadata.key(metadata.namespace, owner.name)
        let attachments = found.attachments
        if owner.kind == "ReplicaSet", attachments.deployment,
            let above = found.object(.replicaset, key)?.metadata.controller, above.kind == "Deployment"
        {
            labels.append(Label(Self.prefix + "deployment_name", above.name))
        }
        if owner.kind == "Job", attachments.job { labels.append(Label(Self.prefix + "job_name", owner.name)) }
        if owner.kind == "Job", attachments.cronJob, let above = found.object(.job, key)?.metadata.controller,
            above.kind == "CronJob"
        {
            labels.append(Label(Self.prefix + "cronjob_name", above.name))
        }
        return labels
    }

    /// A target for each port of each container, or one for a container without.
    func group(_ found: inout KubernetesLookup) -> TargetGroup {
        var group = TargetGroup(source: "pod/" + metadata.key, targets: [])
        // A pod that starts, or that was evicted, has none.
        guard !ip.isEmpty else { return group }
        // Pods on nodes that a selector leaves out are left out, too.
        if found.attachments.node, found.object(.node, nodeName) == nil { return group }
        group.labels = Labels(
            labels(&found) + [Label("__meta_kubernetes_namespace", metadata.namespace)] + found.nodeLabels(nodeName)
                + found.namespaceLabels(metadata.namespace))
        for container in containers {
            let own = [
                Label(Self.prefix + "container_name", container.name), Label(Self.prefix + "container_id", container.id),
                Label(Self.prefix + "container_image", container.image),
                Label(Self.prefix + "container_init", "\(container.isInit)"),
            ]
            if container.ports.isEmpty { group.targets.append(Labels(own + [Label(TargetGroup.addressLabel, ip)])) }
            for port in container.ports {
                group.targets.append(
                    Labels(
                        own + Self.labels(of: port, protocolName: port.protocolName)
                            + [Label(TargetGroup.addressLabel, .hostPort(ip, port.number))]))
            }
        }
        return group
    }

    static func labels(of port: Port, protocolName: String) -> [Label] {
        [
            Label(prefix + "container_port_number", String(port.number)), Label(prefix + "container_port_name", port.name),
            Label(prefix + "container_port_protocol", protocolName),
        ]
    }
}
