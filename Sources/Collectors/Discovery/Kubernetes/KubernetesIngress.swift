import Codecs
import Telemetry

/// An ingress: hosts and paths.
struct KubernetesIngress: Sendable, Hashable {
    struct Rule: Sendable, Hashable {
        var host: String
        var paths: [String]
    }

    var metadata: KubernetesMetadata
    var className: String
    var rules: [Rule]
    /// Hosts, or patterns such as `*.example.org`, that are served over TLS.
    var tlsHosts: [String]

    init(_ object: JSONValue) {
        metadata = KubernetesMetadata(object)
        let spec = object["spec"]
        className = spec?["ingressClassName"]?.string ?? ""
        rules = (spec?["rules"]?.array ?? []).map { rule in
            let paths = rule["http"]?["paths"]?.array.map { $0.map { $0["path"]?.string ?? "" } } ?? ["/"]
            return Rule(host: rule["host"]?.string ?? "", paths: paths.map { $0.isEmpty ? "/" : $0 })
        }
        tlsHosts = (spec?["tls"]?.array ?? []).flatMap { ($0["hosts"]?.array ?? []).compactMap(\.string) }
    }

    private static let prefix = "__meta_kubernetes_ingress_"

    func group(_ found: inout KubernetesLookup) -> TargetGroup {
        var targets: [Labels] = []
        for rule in rules {
            let isSecure = tlsHosts.contains { Self.matches($0, rule.host) }
            for path in rule.paths {
                targets.append(
                    Labels([
                        Label(TargetGroup.addressLabel, rule.host), Label(Self.prefix + "scheme", isSecure ? "https" : "http"),
                        Label(Self.prefix + "host", rule.host), Label(Self.prefix + "path", path),
                    ]))
            }
        }
        let labels =
            [Label("__meta_kubernetes_namespace", metadata.namespace), Label(Self.prefix + "class_name", className)]
            + metadata.metaLabelsAndName("ingress") + found.namespaceLabels(metadata.namespace)
        return TargetGroup(source: "ingress/" + metadata.key, targets: targets, labels: Labels(labels))
    }

    /// A pattern whose first part is `*` stands for any one part there.
    private static func matches(_ pattern: String, _ host: String) -> Bool {
        if pattern == host { return true }
        let (patternParts, hostParts) = (pattern.split(separator: "."), host.split(separator: "."))
        return patternParts.first == "*" && patternParts.count == hostParts.count
            && patternParts.dropFirst().elementsEqual(hostParts.dropFirst())
    }
}
