import Settings

/// How targets are probed: an entry of `modules` in blackbox exporter's configuration.
package struct ProbeModule: Sendable, Hashable {
    /// What is tried, and what must come of it.
    package enum Prober: Sendable, Hashable {
        case http(HTTPProbeOptions)
        case tcp(TCPProbeOptions)
        case dns(DNSProbeOptions)
        case icmp(ICMPProbeOptions)
    }

    package var name: String
    package var prober: Prober
    /// nil: as long as whoever asks will wait.
    package var timeout: Duration?

    package init(name: String, prober: Prober, timeout: Duration? = nil) {
        self.name = name
        self.prober = prober
        self.timeout = timeout
    }

    /// What blackbox exporter's own example defines (blackbox.yml): here without a file.
    package static let standard: [String: ProbeModule] = {
        var post = HTTPProbeOptions()
        post.method = "POST"
        let modules = [
            ProbeModule(name: "http_2xx", prober: .http(HTTPProbeOptions())), ProbeModule(name: "http_post_2xx", prober: .http(post)),
            ProbeModule(name: "tcp_connect", prober: .tcp(TCPProbeOptions())), ProbeModule(name: "icmp", prober: .icmp(ICMPProbeOptions())),
        ]
        return Dictionary(uniqueKeysWithValues: modules.map { ($0.name, $0) })
    }()
}

/// Which of a name's addresses is taken.
package struct ProbeAddressOptions: Sendable, Hashable {
    /// Whether an IPv6 address is preferred, blackbox exporter's default.
    package var prefersIPv6 = true
    /// Whether the other kind will do where the preferred one is not to be had.
    package var hasFallback = true
    /// Where the probe comes from; nil: what the system chooses.
    package var sourceAddress: String?

    static let keys = ["preferred_ip_protocol", "ip_protocol_fallback"]

    init() {}

    init(_ mapping: ConfigurationMapping) throws(ConfigurationError) {
        if let node = mapping["preferred_ip_protocol"] { prefersIPv6 = try node.choice(["ip4", "ip6"]) == "ip6" }
        if let node = mapping["ip_protocol_fallback"] { hasFallback = try node.bool }
        if let node = mapping["source_ip_address"] {
            let text = try node.nonEmptyString
            guard ProbeAddress(literal: text) != nil else { throw node.unexpected("an IP address") }
            sourceAddress = text
        }
    }
}
