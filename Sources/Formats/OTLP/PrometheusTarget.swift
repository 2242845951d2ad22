import Telemetry

/// A resource as Prometheus sees it: a target with `job` and `instance`.
struct PrometheusTarget {
    /// `job` (`service.namespace/service.name`) and `instance` (`service.instance.id`), where the resource has them.
    let identity: [Label]
    /// The attributes that every series gets.
    let promoted: [Label]
    /// The attributes that `target_info` gets.
    let others: [Label]

    init(_ resource: Resource, _ options: OTLPMetricOptions) {
        var identity: [Label] = []
        if let name = resource.attributes["service.name"]?.text, !name.isEmpty {
            let namespace = resource.attributes["service.namespace"]?.text ?? ""
            identity.append(Label("job", namespace.isEmpty ? name : namespace + "/" + name))
        }
        if let instance = resource.attributes["service.instance.id"]?.text, !instance.isEmpty {
            identity.append(Label("instance", instance))
        }
        self.identity = identity
        let identifying: Set<String> =
            options.keepsIdentifyingResourceAttributes ? [] : ["service.name", "service.namespace", "service.instance.id"]
        others = Self.labels(resource.attributes.filter { !identifying.contains($0.name) }, options.strategy)
        let names = options.promotedResourceAttributes
        promoted = names.isEmpty ? [] : Self.labels(resource.attributes.filter { names.contains($0.name) }, options.strategy)
    }

    /// Attributes as labels. Where two names become one, the values are joined by `;` in the order of the original names.
    static func labels(_ attributes: [Attribute], _ strategy: PrometheusNaming.Strategy) -> [Label] {
        // Looking for a name among many by walking would take quadratic time.
        if attributes.count > 64 { return joined(attributes, strategy) }
        var labels: [Label] = []
        labels.reserveCapacity(attributes.count + 4)
        for attribute in attributes {
            let name = PrometheusNaming.labelName(attribute.name, strategy: strategy)
            if labels.contains(where: { $0.name == name }) { return joined(attributes, strategy) }
            labels.append(Label(name, attribute.value.text))
        }
        return labels
    }

    private static func joined(_ attributes: [Attribute], _ strategy: PrometheusNaming.Strategy) -> [Label] {
        // The same name twice is the sender's mistake: the last value counts.
        var values: [String: String] = [:]
        for attribute in attributes { values[attribute.name] = attribute.value.text }
        var labels: [Label] = []
        var indexes: [String: Int] = [:]
        for (key, value) in values.sorted(by: { $0.key.utf8Precedes($1.key) }) {
            let name = PrometheusNaming.labelName(key, strategy: strategy)
            if let index = indexes[name] {
                labels[index].value += ";" + value
            } else {
                indexes[name] = labels.count
                labels.append(Label(name, value))
            }
        }
        return labels
    }
}
