package import Settings

/// The discoveries there are: a new one is added here.
package enum DiscoveryTable {
    private static let types: [any DiscoveryConfiguration.Type] = [
        FileDiscovery.self, HTTPDiscovery.self, DNSDiscovery.self, DockerDiscovery.self, DockerSwarmDiscovery.self,
        ConsulDiscovery.self, KubernetesDiscovery.self, EC2Discovery.self, NomadDiscovery.self,
    ]

    /// Those of Prometheus that are not among them.
    private static let missing = [
        "aws", "azure", "digitalocean", "eureka", "gce", "hetzner", "ionos", "kuma", "lightsail", "linode", "marathon", "nerve",
        "oci", "openstack", "outscale", "ovhcloud", "puppetdb", "scaleway", "serverset", "stackit", "triton", "uyuni", "vultr",
    ]

    private static let suffix = "_sd_configs"
    private static let staticKey = "static_configs"

    /// The keys that ``entries(_:warnings:)`` acts on.
    package static let keys = [staticKey] + types.map { $0.name + suffix }
    /// The keys that Prometheus knows beside them.
    package static let keysNotActedOn = missing.map { $0 + suffix }

    /// Reads `static_configs` and every `*_sd_configs` of a mapping.
    package static func entries(
        _ mapping: ConfigurationMapping, warnings: inout [ConfigurationWarning]
    ) throws(ConfigurationError) -> [DiscoveryEntry] {
        var entries: [DiscoveryEntry] = []
        if let node = mapping[staticKey] { entries.append(DiscoveryEntry(try StaticDiscovery(node))) }
        for type in types {
            for node in try mapping[type.name + suffix]?.list ?? [] {
                let entry = DiscoveryEntry(try type.init(node, warnings: &warnings))
                if !entries.contains(entry) { entries.append(entry) }
            }
        }
        return entries
    }
}

extension ConfigurationMapping {
    /// A `refresh_interval`.
    func refreshInterval(default standard: Duration) throws(ConfigurationError) -> Duration {
        guard let node = self["refresh_interval"] else { return standard }
        let interval = try node.duration
        guard interval > .zero else { throw node.error("refresh_interval must be above 0") }
        return interval
    }

    /// A port.
    func port(default standard: Int) throws(ConfigurationError) -> Int {
        guard let node = self["port"] else { return standard }
        let port = try node.int
        guard (0...65_535).contains(port) else { throw node.error("\(port) is no port: expected 0 to 65535") }
        return port
    }
}
