package import Settings
import Telemetry

/// `dns_sd_configs`: names that are looked up as SRV, A, AAAA, MX or NS records.
package struct DNSDiscovery: DiscoveryConfiguration {
    package static let name = "dns"

    package var names: [String]
    var type: DNSType
    /// Of the targets; SRV records bring their own.
    package var port: Int
    package var refreshInterval: Duration

    package init(_ node: ConfigurationNode, warnings: inout [ConfigurationWarning]) throws(ConfigurationError) {
        let fields = try node.mapping(["names", "type", "port", "refresh_interval"])
        names = try fields["names"]?.strings ?? []
        guard !names.isEmpty else { throw node.error("DNS-SD config must contain at least one SRV record name") }
        type = .srv
        if let node = fields["type"] {
            let text = try node.string
            guard let known = DNSType(name: text.uppercased()), [.srv, .a, .aaaa, .mx, .ns].contains(known) else {
                throw node.error("invalid DNS-SD records type \(text): expected SRV, A, AAAA, MX or NS")
            }
            type = known
        }
        port = try fields.port(default: 0)
        guard type == .srv || port != 0 else {
            throw node.error("a port is required in DNS-SD configs for all record types except SRV")
        }
        refreshInterval = try fields.refreshInterval(default: .seconds(30))
    }

    package func makeDiscovery(_ context: DiscoveryContext) -> any Discovery {
        Lookup(configuration: self, context: context)
    }

    /// Each name on its own: one that cannot be resolved keeps the targets that it had.
    private struct Lookup: Discovery {
        let configuration: DNSDiscovery
        let context: DiscoveryContext

        func run(_ updates: DiscoveryUpdates) async {
            var known: [String: TargetGroup] = [:]
            while !Task.isCancelled {
                var failure: DiscoveryError?
                let results = await withTaskGroup(of: (String, Result<TargetGroup, DiscoveryError>).self) { group in
                    for name in configuration.names { group.addTask { (name, await self.group(of: name)) } }
                    var results: [(String, Result<TargetGroup, DiscoveryError>)] = []
                    for await result in group { results.append(result) }
                    return results
                }
                if Task.isCancelled { return }
                for (name, result) in results {
                    switch result {
                    case .success(let group): known[name] = group
                    case .failure(let error): failure = failure ?? error
                    }
                }
                updates.replace(Array(known.values), despite: failure)
                guard (try? await Task.sleep(for: configuration.refreshInterval)) != nil else { return }
            }
        }

        private func group(of name: String) async -> Result<TargetGroup, DiscoveryError> {
            do throws(DiscoveryError) {
                let resolver = DNSResolver(configuration: try context.resolver())
                var group = TargetGroup(source: name, targets: [])
                for record in try await resolver.records(of: name, type: configuration.type) {
                    if let target = target(of: record, name: name) { group.targets.append(target) }
                }
                return .success(group)
            } catch {
                return .failure(error)
            }
        }

        /// nil for an alias, and for what was not asked for.
        private func target(of record: DNSRecord, name: String) -> Labels? {
            guard let host = record.host else { return nil }
            var labels = [Label("__meta_dns_name", name)]
            var port = configuration.port
            switch record.type {
            case .a, .aaaa: break
            case .srv:
                port = Int(record.port ?? 0)
                labels.append(Label("__meta_dns_srv_record_target", host))
                labels.append(Label("__meta_dns_srv_record_port", String(port)))
            case .mx: labels.append(Label("__meta_dns_mx_record_target", host))
            case .ns: labels.append(Label("__meta_dns_ns_record_target", host))
            default: return nil
            }
            return Labels(labels + [Label(TargetGroup.addressLabel, .hostPort(Self.withoutDot(host), port))])
        }

        private static func withoutDot(_ name: String) -> String {
            var name = name[...]
            while name.hasSuffix(".") { name = name.dropLast() }
            return String(name)
        }
    }
}
