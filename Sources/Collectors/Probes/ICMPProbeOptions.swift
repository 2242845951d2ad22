import Settings

/// The options of an ICMP module (blackbox exporter, CONFIGURATION.md, "icmp_probe").
package struct ICMPProbeOptions: Sendable, Hashable {
    package var address = ProbeAddressOptions()
    /// Bytes behind the header; nil: as many as the standard text has.
    package var payloadByteCount: Int?
    package var doesNotFragment = false
    package var hopLimit = 64

    package init() {}

    static func load(_ node: ConfigurationNode?) throws(ConfigurationError) -> ICMPProbeOptions {
        var options = ICMPProbeOptions()
        guard let node else { return options }
        let mapping = try node.mapping(ProbeAddressOptions.keys + ["source_ip_address", "payload_size", "dont_fragment", "ttl"])
        options.address = try ProbeAddressOptions(mapping)
        if let node = mapping["payload_size"] {
            let count = try node.int
            // What fits into an IP packet behind both headers.
            guard (0...65_507).contains(count) else { throw node.unexpected("a number from 0 to 65507") }
            options.payloadByteCount = count == 0 ? nil : count
        }
        options.doesNotFragment = try mapping["dont_fragment"]?.bool ?? false
        if let node = mapping["ttl"] {
            let limit = try node.int
            guard (0...255).contains(limit) else { throw node.unexpected("a number from 0 to 255") }
            if limit > 0 { options.hopLimit = limit }
        }
        return options
    }
}
