import Settings

/// The options of a DNS module (blackbox exporter, CONFIGURATION.md, "dns_probe").
package struct DNSProbeOptions: Sendable, Hashable {
    /// What the records of a section must or must not look like, each as a line of a zone file.
    package struct Validator: Sendable, Hashable {
        var failIfMatches: [ProbeExpression] = []
        var failIfAllMatch: [ProbeExpression] = []
        var failIfNotMatches: [ProbeExpression] = []
        var failIfNoneMatches: [ProbeExpression] = []

        init() {}

        init(_ node: ConfigurationNode?) throws(ConfigurationError) {
            guard let node else { return }
            let mapping = try node.mapping([
                "fail_if_matches_regexp", "fail_if_all_match_regexp", "fail_if_not_matches_regexp", "fail_if_none_matches_regexp",
            ])
            failIfMatches = try ProbeExpression.list(mapping["fail_if_matches_regexp"])
            failIfAllMatch = try ProbeExpression.list(mapping["fail_if_all_match_regexp"])
            failIfNotMatches = try ProbeExpression.list(mapping["fail_if_not_matches_regexp"])
            failIfNoneMatches = try ProbeExpression.list(mapping["fail_if_none_matches_regexp"])
        }
    }

    package var address = ProbeAddressOptions()
    package var usesTCP = false
    /// DNS over TLS (RFC 7858).
    package var usesTLS = false
    package var tls = TLSOptions()
    package var name: String
    package var type = DNSType.any
    /// IN.
    package var recordClass: UInt16 = 1
    package var isRecursionDesired = true
    package var validCodes: [UInt8] = [0]
    package var answer = Validator()
    package var authority = Validator()
    package var additional = Validator()

    package init(name: String) {
        self.name = name
    }

    private static let keys =
        ProbeAddressOptions.keys + [
            "source_ip_address", "transport_protocol", "dns_over_tls", "tls_config", "query_name", "query_type", "query_class",
            "recursion_desired", "valid_rcodes", "validate_answer_rrs", "validate_authority_rrs", "validate_additional_rrs",
        ]
    private static let classes: [String: UInt16] = ["IN": 1, "CSNET": 2, "CHAOS": 3, "HESIOD": 4, "NONE": 254, "ANY": 255]

    static func load(_ node: ConfigurationNode) throws(ConfigurationError) -> DNSProbeOptions {
        let mapping = try node.mapping(keys)
        let name = try mapping.required("query_name")
        var options = DNSProbeOptions(name: try name.nonEmptyString)
        guard DNSName.encode(options.name) != nil else { throw name.unexpected("a domain name") }
        options.address = try ProbeAddressOptions(mapping)
        if let node = mapping["transport_protocol"] { options.usesTCP = try node.choice(["udp", "tcp"]) == "tcp" }
        if let node = mapping["dns_over_tls"] {
            options.usesTLS = try node.bool
            guard !options.usesTLS || options.usesTCP else { throw node.error("dns_over_tls needs transport_protocol: tcp") }
        }
        if let node = mapping["tls_config"] { options.tls = try TLSOptions(node) }
        if let node = mapping["query_type"] {
            guard let type = DNSType(name: try node.string) else { throw node.unexpected("a record type such as A, AAAA, MX, SOA or ANY") }
            options.type = type
        }
        if let node = mapping["query_class"] { options.recordClass = classes[try node.choice(classes.keys.sorted())] ?? 1 }
        options.isRecursionDesired = try mapping["recursion_desired"]?.bool ?? true
        if let node = mapping["valid_rcodes"] {
            options.validCodes = []
            for item in try node.list {
                let word = try item.choice(DNSMessage.codes)
                options.validCodes.append(UInt8(truncatingIfNeeded: DNSMessage.codes.firstIndex(of: word) ?? 0))
            }
        }
        options.answer = try Validator(mapping["validate_answer_rrs"])
        options.authority = try Validator(mapping["validate_authority_rrs"])
        options.additional = try Validator(mapping["validate_additional_rrs"])
        return options
    }
}
