package import Settings

/// `kubernetes_sd_configs`: the objects of one role, followed by list and watch.
package struct KubernetesDiscovery: DiscoveryConfiguration {
    package static let name = "kubernetes"

    package enum Role: String, Sendable, Hashable, CaseIterable {
        case node
        case pod
        case service
        case endpoints
        case endpointslice
        case ingress

        /// The roles whose objects may be selected.
        var selectable: [Role] {
            switch self {
            case .pod: [.pod, .node]
            case .endpoints: [.pod, .service, .endpoints]
            case .endpointslice: [.pod, .service, .endpointslice]
            case .node, .service, .ingress: [self]
            }
        }
    }

    struct Selector: Sendable, Hashable {
        var label = ""
        var field = ""
    }

    /// What is looked up beside the objects themselves.
    struct Attachments: Sendable, Hashable {
        var node = false
        var namespace = false
        var deployment = false
        var job = false
        var cronJob = false
    }

    package var role: Role
    /// Empty means that of the kubeconfig, or of the cluster that this process runs in.
    package var apiServer: String
    package var kubeconfigFile: String
    package var http: HTTPClientOptions
    package var includesOwnNamespace = false
    /// Empty means all.
    package var namespaces: [String] = []
    var selectors: [Role: Selector] = [:]
    var attachments = Attachments()

    private static let keys =
        ["api_server", "role", "kubeconfig_file", "namespaces", "selectors", "attach_metadata"] + HTTPClientOptions.keys

    package init(_ node: ConfigurationNode, warnings: inout [ConfigurationWarning]) throws(ConfigurationError) {
        let fields = try node.mapping(Self.keys)
        guard let roleNode = fields["role"] else {
            throw node.error("role missing (one of: pod, service, endpoints, endpointslice, node, ingress)")
        }
        role = Role(rawValue: try roleNode.choice(Role.allCases.map(\.rawValue))) ?? .pod
        http = try HTTPClientOptions(fields)
        apiServer = try fields["api_server"]?.string ?? ""
        kubeconfigFile = try fields["kubeconfig_file"].map { node throws(ConfigurationError) in
            FileGlob.resolve(try node.nonEmptyString, relativeToFile: node.file)
        } ?? ""
        if let fields = try fields["namespaces"]?.mapping(["own_namespace", "names"]) {
            includesOwnNamespace = try fields["own_namespace"]?.bool ?? false
            namespaces = try fields["names"]?.strings ?? []
        }
        if let fields = try fields["attach_metadata"]?.mapping(["node", "namespace", "deployment", "job", "cronjob"]) {
            attachments.node = try fields["node"]?.bool ?? false
            attachments.namespace = try fields["namespace"]?.bool ?? false
            attachments.deployment = try fields["deployment"]?.bool ?? false
            attachments.job = try fields["job"]?.bool ?? false
            attachments.cronJob = try fields["cronjob"]?.bool ?? false
        }
        try check(node, fields)
        try readSelectors(fields)
    }

    /// What excludes each other (discovery/kubernetes, `SDConfig.UnmarshalYAML`).
    private func check(_ node: ConfigurationNode, _ fields: ConfigurationMapping) throws(ConfigurationError) {
        if !apiServer.isEmpty, !kubeconfigFile.isEmpty {
            throw node.error("cannot use 'kubeconfig_file' and 'api_server' simultaneously")
        }
        if !kubeconfigFile.isEmpty, http != HTTPClientOptions() {
            throw node.error("cannot use a custom HTTP client configuration together with 'kubeconfig_file'")
        }
        if apiServer.isEmpty, http != HTTPClientOptions() {
            throw node.error("to use custom HTTP client configuration please provide the 'api_server' URL explicitly")
        }
        if includesOwnNamespace, !apiServer.isEmpty {
            throw node.error("cannot use 'api_server' and 'namespaces.own_namespace' simultaneously")
        }
        if includesOwnNamespace, !kubeconfigFile.isEmpty {
            throw node.error("cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously")
        }
        if let value = fields["api_server"], !apiServer.isEmpty, URLParts(apiServer) == nil {
            throw value.error("\(apiServer.debugDescription) is no URL: expected https://host:port")
        }
    }

    private mutating func readSelectors(_ fields: ConfigurationMapping) throws(ConfigurationError) {
        for item in try fields["selectors"]?.list ?? [] {
            let entry = try item.mapping(["role", "label", "field"])
            let roleNode = try entry.required("role")
            let selected = Role(rawValue: try roleNode.choice(Role.allCases.map(\.rawValue))) ?? .pod
            guard selectors[selected] == nil else { throw roleNode.error("duplicated selector role: \(selected.rawValue)") }
            guard role.selectable.contains(selected) else {
                let names = role.selectable.map(\.rawValue).joined(separator: ", ")
                throw roleNode.error("\(role.rawValue) role supports only \(names) selectors")
            }
            if let node = entry["field"] {
                for term in try node.string.split(separator: ",") where !term.contains("=") {
                    throw node.error("invalid selector: '\(try node.string)'; can't understand '\(term)'")
                }
            }
            selectors[selected] = Selector(label: try entry["label"]?.string ?? "", field: try entry["field"]?.string ?? "")
        }
    }

    package func makeDiscovery(_ context: DiscoveryContext) -> any Discovery {
        KubernetesWatch(configuration: self, context: context)
    }

    /// The kinds of objects that must be known, the role's own first.
    var kinds: [KubernetesKind] {
        var kinds: [KubernetesKind]
        switch role {
        case .node: return [.node]
        case .pod: kinds = [.pod]
        case .service: kinds = [.service]
        case .ingress: kinds = [.ingress]
        case .endpoints: kinds = [.endpoints, .service, .pod]
        case .endpointslice: kinds = [.endpointslice, .service, .pod]
        }
        if attachments.namespace { kinds.append(.namespace) }
        if role == .service || role == .ingress { return kinds }
        if attachments.node { kinds.append(.node) }
        if attachments.deployment { kinds.append(.replicaset) }
        if attachments.job || attachments.cronJob { kinds.append(.job) }
        return kinds
    }
}
