package import Formats
package import Settings

extension OTLPMetricOptions {
    /// Reads the section `otlp` of a `prometheus.yml`; refuses what Prometheus refuses (config.go, `OTLPConfig`).
    package init(_ node: ConfigurationNode) throws(ConfigurationError) {
        self.init()
        let mapping = try node.mapping([
            "promote_all_resource_attributes", "promote_resource_attributes", "ignore_resource_attributes", "translation_strategy",
            "keep_identifying_resource_attributes", "convert_histograms_to_nhcb", "promote_scope_metadata", "label_name_underscore_sanitization",
            "label_name_preserve_multiple_underscores",
        ])
        if let value = mapping["translation_strategy"] {
            strategy = PrometheusNaming.Strategy(rawValue: try value.choice(PrometheusNaming.Strategy.allCases.map(\.rawValue))) ?? strategy
        }
        promotion = try Self.promotion(mapping)
        keepsIdentifyingResourceAttributes = try mapping["keep_identifying_resource_attributes"]?.bool ?? false
        convertsHistogramsToCustomBuckets = try mapping["convert_histograms_to_nhcb"]?.bool ?? false
        promotesScopeMetadata = try mapping["promote_scope_metadata"]?.bool ?? false
        labelNames.prefixesUnderscores = try mapping["label_name_underscore_sanitization"]?.bool ?? true
        labelNames.preservesMultipleUnderscores = try mapping["label_name_preserve_multiple_underscores"]?.bool ?? true
    }

    private static func promotion(_ mapping: ConfigurationMapping) throws(ConfigurationError) -> Promotion {
        let named = mapping["promote_resource_attributes"]
        let ignored = mapping["ignore_resource_attributes"]
        let isAll = try mapping["promote_all_resource_attributes"]?.bool ?? false
        if isAll, let named, try !named.list.isEmpty {
            throw named.error("promote_all_resource_attributes and promote_resource_attributes cannot be configured simultaneously")
        }
        if !isAll, let ignored, try !ignored.list.isEmpty {
            throw ignored.error("ignore_resource_attributes cannot be configured unless promote_all_resource_attributes is true")
        }
        if isAll { return .all(except: try names(ignored)) }
        let names = try names(named)
        return names.isEmpty ? .none : .named(names)
    }

    private static func names(_ node: ConfigurationNode?) throws(ConfigurationError) -> Set<String> {
        var names: Set<String> = []
        for item in try node?.list ?? [] {
            let name = String(try item.string.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            guard !name.isEmpty else { throw item.error("an attribute's name must not be empty") }
            guard names.insert(name).inserted else { throw item.error("the attribute \(name.debugDescription) stands there twice") }
        }
        return names
    }
}
