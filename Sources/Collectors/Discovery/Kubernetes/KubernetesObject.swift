import Codecs
import Telemetry

/// The kinds of objects that are followed.
enum KubernetesKind: String, Sendable, Hashable {
    case node
    case pod
    case service
    case endpoints
    case endpointslice
    case ingress
    case namespace
    case replicaset
    case job

    var isNamespaced: Bool { self != .node && self != .namespace }

    /// The path of a list.
    ///
    /// - Parameter namespace: empty means all.
    func path(namespace: String) -> String {
        let group =
            switch self {
            case .endpointslice: "/apis/discovery.k8s.io/v1"
            case .ingress: "/apis/networking.k8s.io/v1"
            case .replicaset: "/apis/apps/v1"
            case .job: "/apis/batch/v1"
            default: "/api/v1"
            }
        let name =
            switch self {
            case .endpoints: "endpoints"
            case .ingress: "ingresses"
            default: rawValue + "s"
            }
        return group + (namespace.isEmpty ? "" : "/namespaces/" + PercentEncoding.path(namespace)) + "/" + name
    }

    /// The role whose selector applies to it.
    var selectingRole: KubernetesDiscovery.Role? { KubernetesDiscovery.Role(rawValue: rawValue) }
}

/// What every object has.
struct KubernetesMetadata: Sendable, Hashable {
    struct Owner: Sendable, Hashable {
        var kind: String
        var name: String
    }

    var name: String
    /// Empty for what stands in none.
    var namespace: String
    var uid: String
    var labels: [Label]
    var annotations: [Label]
    /// The owner that controls it.
    var controller: Owner?

    init(_ object: JSONValue) {
        let metadata = object["metadata"]
        name = metadata?["name"]?.string ?? ""
        namespace = metadata?["namespace"]?.string ?? ""
        uid = metadata?["uid"]?.string ?? ""
        labels = Self.pairs(metadata?["labels"])
        annotations = Self.pairs(metadata?["annotations"])
        for owner in metadata?["ownerReferences"]?.array ?? [] where owner["controller"]?.bool == true {
            controller = Owner(kind: owner["kind"]?.string ?? "", name: owner["name"]?.string ?? "")
            break
        }
    }

    private static func pairs(_ value: JSONValue?) -> [Label] {
        (value?.object?.members ?? []).map { Label($0.name, $0.value.string ?? "") }
    }

    var key: String { Self.key(namespace, name) }

    static func key(_ namespace: String, _ name: String) -> String { namespace.isEmpty ? name : namespace + "/" + name }

    /// `__meta_kubernetes_RESOURCE_label_…`, `…_labelpresent_…` and the same of annotations.
    func metaLabels(_ resource: String) -> [Label] {
        var result: [Label] = []
        for (kind, pairs) in [("label", labels), ("annotation", annotations)] {
            for pair in pairs {
                let name = LabelName.sanitize(pair.name)
                result.append(Label("__meta_kubernetes_\(resource)_\(kind)_\(name)", pair.value))
                result.append(Label("__meta_kubernetes_\(resource)_\(kind)present_\(name)", "true"))
            }
        }
        return result
    }

    /// The same with `__meta_kubernetes_RESOURCE_name`.
    func metaLabelsAndName(_ resource: String) -> [Label] {
        [Label("__meta_kubernetes_\(resource)_name", name)] + metaLabels(resource)
    }
}

/// An object, cut down to what labels are made of: what changes beside that, such as the time of a heartbeat, changes nothing.
enum KubernetesObject: Sendable, Hashable {
    case node(KubernetesNode)
    case pod(KubernetesPod)
    case service(KubernetesService)
    case endpoints(KubernetesEndpoints)
    case ingress(KubernetesIngress)
    /// One of which only the metadata counts: a namespace, a replica set, a job.
    case other(KubernetesMetadata)

    init(_ kind: KubernetesKind, _ object: JSONValue) {
        switch kind {
        case .node: self = .node(KubernetesNode(object))
        case .pod: self = .pod(KubernetesPod(object))
        case .service: self = .service(KubernetesService(object))
        case .endpoints: self = .endpoints(KubernetesEndpoints(object))
        case .endpointslice: self = .endpoints(KubernetesEndpoints(slice: object))
        case .ingress: self = .ingress(KubernetesIngress(object))
        case .namespace, .replicaset, .job: self = .other(KubernetesMetadata(object))
        }
    }

    var metadata: KubernetesMetadata {
        switch self {
        case .node(let node): node.metadata
        case .pod(let pod): pod.metadata
        case .service(let service): service.metadata
        case .endpoints(let endpoints): endpoints.metadata
        case .ingress(let ingress): ingress.metadata
        case .other(let metadata): metadata
        }
    }
}
