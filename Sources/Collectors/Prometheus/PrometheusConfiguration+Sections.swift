import Settings
import Telemetry

/// The sections beside scraping, rules and remote storage: read as Prometheus reads them, and acted upon where that means something here.
extension PrometheusConfiguration {
    /// `storage`: how long metrics are kept, where `apus.yaml` does not say.
    package struct Storage: Sendable, Hashable {
        package var retentionTime: Duration?
        package var retentionByteCount: Int?

        package init() {}
    }

    /// `otlp`: how OTLP's names and attributes become labels.
    package struct OTLP: Sendable, Hashable {
        package enum TranslationStrategy: String, Sendable, Hashable, CaseIterable {
            case underscoreEscapingWithSuffixes = "UnderscoreEscapingWithSuffixes"
            case underscoreEscapingWithoutSuffixes = "UnderscoreEscapingWithoutSuffixes"
            case noUTF8EscapingWithSuffixes = "NoUTF8EscapingWithSuffixes"
            case noTranslation = "NoTranslation"

            var keepsUTF8: Bool { self == .noUTF8EscapingWithSuffixes || self == .noTranslation }
        }

        package var translationStrategy = TranslationStrategy.underscoreEscapingWithSuffixes
        package var promotesAllResourceAttributes = false
        package var promotedResourceAttributes: [String] = []
        package var ignoredResourceAttributes: [String] = []
        package var keepsIdentifyingResourceAttributes = false
        package var convertsHistogramsToNHCB = false
        package var promotesScopeMetadata = false
        package var sanitizesLabelNameUnderscores = true
        package var preservesMultipleUnderscores = true

        package init() {}
    }

    /// Reads `runtime`, `storage`, `tracing` and `otlp`.
    mutating func readSections(_ root: ConfigurationMapping) throws(ConfigurationError) {
        if let node = root["runtime"] {
            let mapping = try node.mapping(["gogc"])
            _ = try mapping["gogc"]?.int
            warn(mapping, ["gogc"], "tunes Go's garbage collector: it has no effect here")
        }
        if let node = root["storage"] { try readStorage(node) }
        if let node = root["tracing"] { try readTracing(node) }
        if let node = root["otlp"] { try readOTLP(node) }
        if let node = root["alerting"] { try checkAlerting(node) }
    }

    /// Reads the rules of `alerting`, so that mistakes in them are found.
    private func checkAlerting(_ node: ConfigurationNode) throws(ConfigurationError) {
        let mapping = try node.mapping(["alert_relabel_configs", "alertmanagers"])
        let validation = global.formats.validation
        for rule in try mapping["alert_relabel_configs"]?.list ?? [] { _ = try RelabelRule(rule, validation: validation) }
        for manager in try mapping["alertmanagers"]?.list ?? [] {
            for (key, value) in try manager.pairs where ["relabel_configs", "alert_relabel_configs"].contains(try? key.string) {
                for rule in try value.list { _ = try RelabelRule(rule, validation: validation) }
            }
        }
    }

    private mutating func warn(_ mapping: ConfigurationMapping, _ keys: [String], _ text: String) {
        for key in keys {
            if let node = mapping.key(key) { warnings.append(node.warning("\(node.path) \(text)")) }
        }
    }

    // MARK: storage

    private mutating func readStorage(_ node: ConfigurationNode) throws(ConfigurationError) {
        let mapping = try node.mapping(["tsdb", "exemplars"])
        if let node = mapping["exemplars"] {
            let exemplars = try node.mapping(["max_exemplars"])
            _ = try exemplars["max_exemplars"]?.int
            warn(exemplars, ["max_exemplars"], "has no effect: exemplars are kept as long as samples")
        }
        guard let node = mapping["tsdb"] else { return }
        let tsdb = try node.mapping(["out_of_order_time_window", "stale_series_compaction_threshold", "chunk_encoding", "retention"])
        // Nothing to act on: samples are taken in any order anywhere inside retention.
        _ = try tsdb["out_of_order_time_window"]?.duration
        _ = try tsdb["stale_series_compaction_threshold"]?.double
        if let node = tsdb["chunk_encoding"] {
            let encoding = try node.mapping(["floats"])
            if let node = encoding["floats"], try !["", "xor", "xor2"].contains(node.string) {
                throw node.error("'storage.tsdb.chunk_encoding.floats' must be 'xor' or 'xor2', or the field must be omitted entirely")
            }
        }
        warn(tsdb, ["stale_series_compaction_threshold", "chunk_encoding"], "has no effect: the store has encodings and merges of its own")
        guard let node = tsdb["retention"] else { return }
        let retention = try node.mapping(["time", "size", "percentage"])
        if let value = try retention["time"]?.duration, value > .zero { storage.retentionTime = value }
        if let value = try retention["size"]?.byteCountWithUnit, value > 0 { storage.retentionByteCount = value }
        if let node = retention["percentage"] {
            let value = try node.double
            guard (0...100).contains(value) else {
                throw node.error("'storage.tsdb.retention.percentage' must be in the range [0, 100], got \(value)")
            }
            if value > 0 { warn(retention, ["percentage"], "has no effect: name bytes with disk_budget in apus.yaml") }
        }
    }

    // MARK: tracing

    private mutating func readTracing(_ node: ConfigurationNode) throws(ConfigurationError) {
        let mapping = try node.mapping([
            "client_type", "endpoint", "sampling_fraction", "insecure", "tls_config", "headers", "compression", "timeout",
        ])
        if let node = mapping["client_type"] { _ = try node.choice(["http", "grpc"]) }
        _ = try mapping["sampling_fraction"]?.double
        _ = try mapping["insecure"]?.bool
        _ = try mapping["timeout"]?.duration
        let headers = try mapping["headers"]?.pairs ?? []
        for (key, _) in headers {
            let name = try key.string
            if name.lowercased() == "authorization" { throw key.error("custom authorization header configuration is not yet supported") }
            if Self.reservedHeaders.contains(name.lowercased()) { throw key.error("\(name) is a reserved header. It must not be changed") }
        }
        guard let endpoint = try mapping["endpoint"]?.string, !endpoint.isEmpty else { throw node.error("tracing endpoint must be set") }
        if let node = mapping["compression"], try !["", "gzip"].contains(node.string) {
            throw node.error("invalid compression type \(try node.string) provided, valid options: gzip")
        }
        warnings.append(node.warning("tracing has no effect: Apus sends no traces of itself"))
    }

    /// Headers that a configuration must not set (Prometheus, config.go, `reservedHeaders`).
    static let reservedHeaders: Set<String> = [
        "authorization", "host", "content-encoding", "content-length", "content-type", "user-agent", "connection", "keep-alive",
        "proxy-authenticate", "proxy-authorization", "www-authenticate", "accept-encoding", "x-prometheus-remote-write-version",
        "x-prometheus-remote-read-version", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256",
    ]

    // MARK: otlp

    private mutating func readOTLP(_ node: ConfigurationNode) throws(ConfigurationError) {
        let mapping = try node.mapping([
            "promote_all_resource_attributes", "promote_resource_attributes", "ignore_resource_attributes", "translation_strategy",
            "keep_identifying_resource_attributes", "convert_histograms_to_nhcb", "promote_scope_metadata",
            "label_name_underscore_sanitization", "label_name_preserve_multiple_underscores",
        ])
        var otlp = OTLP()
        if let node = mapping["translation_strategy"], try !node.string.isEmpty {
            guard let strategy = OTLP.TranslationStrategy(rawValue: try node.string) else {
                throw node.error("unsupported OTLP translation strategy \(try node.string.debugDescription)")
            }
            guard !strategy.keepsUTF8 || global.formats.validation == .utf8 else {
                throw node.error("OTLP translation strategy \(strategy.rawValue.debugDescription) is not allowed when UTF8 is disabled")
            }
            otlp.translationStrategy = strategy
        }
        otlp.promotesAllResourceAttributes = try mapping["promote_all_resource_attributes"]?.bool ?? false
        otlp.promotedResourceAttributes = try Self.attributes(mapping["promote_resource_attributes"], "promoted")
        otlp.ignoredResourceAttributes = try Self.attributes(mapping["ignore_resource_attributes"], "ignored")
        if otlp.promotesAllResourceAttributes, let node = mapping["promote_resource_attributes"], !otlp.promotedResourceAttributes.isEmpty {
            throw node.error("'promote_all_resource_attributes' and 'promote_resource_attributes' cannot be configured simultaneously")
        }
        if !otlp.promotesAllResourceAttributes, let node = mapping["ignore_resource_attributes"], !otlp.ignoredResourceAttributes.isEmpty {
            throw node.error("'ignore_resource_attributes' cannot be configured unless 'promote_all_resource_attributes' is true")
        }
        otlp.keepsIdentifyingResourceAttributes = try mapping["keep_identifying_resource_attributes"]?.bool ?? false
        otlp.convertsHistogramsToNHCB = try mapping["convert_histograms_to_nhcb"]?.bool ?? false
        otlp.promotesScopeMetadata = try mapping["promote_scope_metadata"]?.bool ?? false
        otlp.sanitizesLabelNameUnderscores = try mapping["label_name_underscore_sanitization"]?.bool ?? true
        otlp.preservesMultipleUnderscores = try mapping["label_name_preserve_multiple_underscores"]?.bool ?? true
        self.otlp = otlp
        warn(mapping, mapping.pairs.compactMap { try? $0.key.string }, "is known, but Apus does not act on it yet")
    }

    private static func attributes(_ node: ConfigurationNode?, _ adjective: String) throws(ConfigurationError) -> [String] {
        var attributes: [String] = []
        for item in try node?.list ?? [] {
            var text = Substring(try item.string)
            while let first = text.first, first.isWhitespace { text.removeFirst() }
            while let last = text.last, last.isWhitespace { text.removeLast() }
            guard !text.isEmpty else { throw item.error("empty \(adjective) OTel resource attribute") }
            guard !attributes.contains(String(text)) else {
                throw item.error("duplicated \(adjective) OTel resource attribute \(text.debugDescription)")
            }
            attributes.append(String(text))
        }
        return attributes
    }
}
