import Telemetry

/// A resource as Prometheus sees it: a target with `job` and `instance`.
struct PrometheusTarget {
    /// `job` (`service.namespace/service.name`) and `instance` (`service.instance.id`), where the resource has them.
    let identity: [Label]
    /// The attributes that every series gets.
    let promoted: [Label]
    /// The attributes that `target_info` gets.
    let others: [Label]
    /// Whether the resource says more than who it is.
    let hasOthers: Bool

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
        others = Self.labels(resource.attributes.filter { !identifying.contains($0.name) }, options)
        hasOthers = resource.attributes.contains { !["service.name", "service.namespace", "service.instance.id"].contains($0.name) }
        promoted =
            switch options.promotion {
            case .none: []
            case .all(let ignored): Self.labels(resource.attributes.filter { !ignored.contains($0.name) }, options)
            case .named(let names): Self.labels(resource.attributes.filter { names.contains($0.name) }, options)
            }
    }

    /// Attributes as labels. Where two names become one, the values are joined by `;` in the order of the original names.
    static func labels(_ attributes: [Attribute], _ options: OTLPMetricOptions) -> [Label] {
        // Looking for a name among many by walking would take quadratic time.
        if attributes.count > 64 { return joined(attributes, options) }
        var labels: [Label] = []
        labels.reserveCapacity(attributes.count + 4)
        for attribute in attributes {
            let name = PrometheusNaming.labelName(attribute.name, strategy: options.strategy, options: options.labelNames)
            if labels.contains(where: { $0.name == name }) { return joined(attributes, options) }
            labels.append(Label(name, attribute.value.text))
        }
        return labels
    }

    /// What `promote_scope_metadata` adds to the series of a scope (OpenTelemetry, "Prometheus and OpenMetrics Compatibility",
    /// "Instrumentation Scope").
    static func labels(_ group: OTLPMetricGroup.Scope, _ options: OTLPMetricOptions) -> [Label] {
        let scope = group.scope
        guard options.promotesScopeMetadata, !scope.name.isEmpty else { return [] }
        let attributes = scope.attributes.map { Attribute("otel_scope_" + $0.name, $0.value) }
        return labels(attributes, options) + [
            Label("otel_scope_name", scope.name), Label("otel_scope_version", scope.version), Label("otel_scope_schema_url", group.schemaURL),
        ]
    }

    private static func joined(_ attributes: [Attribute], _ options: OTLPMetricOptions) -> [Label] {
        // The same name twice is the sender's mistake: the last value counts.
        var values: [String: String] = [:]
        for attribute in attributes { values[attribute.name] = attribute.value.text }
        var labels: [Label] = []
        var indexes: [String: Int] = [:]
        for (key, value) in values.sorted(by: { $0.key.utf8Precedes($1.key) }) {
            let name = PrometheusNaming.labelName(key, strategy: options.strategy, options: options.labelNames)
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
