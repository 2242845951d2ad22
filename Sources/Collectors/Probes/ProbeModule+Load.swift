import Settings
import Templates

extension ProbeModule {
    private static let keys = ["prober", "timeout", "http", "tcp", "dns", "icmp", "grpc", "unix", "websocket"]
    /// The probers of blackbox exporter that Apus has, and those that it has not.
    private static let probers = ["http", "tcp", "dns", "icmp"]
    private static let unknownProbers = ["grpc", "unix", "websocket"]

    /// Reads a mapping from names to modules.
    ///
    /// - Parameter warnings: gets what is known, but has no effect. A module whose prober Apus lacks is left out with a warning.
    static func modules(
        _ node: ConfigurationNode, warnings: inout [ConfigurationWarning]
    ) throws(ConfigurationError) -> [String: ProbeModule] {
        var modules: [String: ProbeModule] = [:]
        for (key, value) in try node.pairs {
            let name = try key.nonEmptyString
            let mapping = try value.mapping(keys)
            let prober = try mapping.required("prober")
            guard !unknownProbers.contains(try prober.string) else {
                warnings.append(prober.warning("Apus has no prober \(try prober.string) yet: the module \(name) is left out"))
                continue
            }
            modules[name] = try load(name, mapping, try prober.choice(probers), &warnings)
        }
        return modules
    }

    private static func load(
        _ name: String, _ mapping: ConfigurationMapping, _ prober: String, _ warnings: inout [ConfigurationWarning]
    ) throws(ConfigurationError) -> ProbeModule {
        let options: Prober
        switch prober {
        case "http": options = .http(try HTTPProbeOptions.load(mapping["http"], warnings: &warnings))
        case "tcp": options = .tcp(try TCPProbeOptions.load(mapping["tcp"]))
        case "dns":
            options = .dns(try DNSProbeOptions.load(try mapping.required("dns")))
        default: options = .icmp(try ICMPProbeOptions.load(mapping["icmp"]))
        }
        var module = ProbeModule(name: name, prober: options)
        if let node = mapping["timeout"] {
            guard let timeout = GoDuration.parse(try node.string).map({ Duration.nanoseconds($0) }), timeout >= .zero else {
                throw node.unexpected("a duration such as 5s, 1m30s or 1.5s")
            }
            module.timeout = timeout == .zero ? nil : timeout
        }
        return module
    }
}
