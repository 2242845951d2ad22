import Codecs
import NIOHTTP1
package import Settings
import Telemetry

/// `nomad_sd_configs`: the services that Nomad knows.
package struct NomadDiscovery: DiscoveryConfiguration {
    package static let name = "nomad"

    package var server = "http://localhost:4646"
    package var namespace: String
    package var region: String
    package var tagSeparator: String
    package var allowsStale: Bool
    package var refreshInterval: Duration
    package var http: HTTPClientOptions

    package init(_ node: ConfigurationNode, warnings: inout [ConfigurationWarning]) throws(ConfigurationError) {
        let fields = try node.mapping(
            ["allow_stale", "namespace", "refresh_interval", "region", "server", "tag_separator"] + HTTPClientOptions.keys)
        http = try HTTPClientOptions(fields)
        refreshInterval = try fields.refreshInterval(default: .seconds(60))
        namespace = try fields["namespace"]?.string ?? "default"
        region = try fields["region"]?.string ?? "global"
        tagSeparator = try fields["tag_separator"]?.string ?? ","
        allowsStale = try fields["allow_stale"]?.bool ?? true
        if let value = fields["server"] {
            server = try value.string
            guard URLParts(server) != nil else {
                throw value.error("nomad SD configuration requires a server address such as http://localhost:4646")
            }
        }
    }

    package func makeDiscovery(_ context: DiscoveryContext) -> any Discovery {
        Lookup(configuration: self, transport: context.transport)
    }

    private struct Lookup: RefreshedDiscovery {
        let configuration: NomadDiscovery
        let transport: HTTPTransport

        private static let prefix = "__meta_nomad_"

        var refreshInterval: Duration { configuration.refreshInterval }

        func refresh() async throws -> [TargetGroup] {
            var group = TargetGroup(source: "Nomad", targets: [])
            for stub in try await list("/v1/services") {
                for service in stub["Services"]?.array ?? [] {
                    guard let name = service["ServiceName"]?.string else { continue }
                    group.targets += try await list("/v1/service/" + PercentEncoding.path(name)).map(target)
                }
            }
            return [group]
        }

        private func list(_ path: String) async throws -> [JSONValue] {
            var url = configuration.server
            while url.hasSuffix("/") { url.removeLast() }
            url += path + "?namespace=\(PercentEncoding.query(configuration.namespace))&region=\(PercentEncoding.query(configuration.region))"
            if configuration.allowsStale { url += "&stale=" }
            let answer = try await transport.send(.init(.GET, url), options: configuration.http, timeout: refreshInterval)
            guard answer.status == 200 else { throw DiscoveryError("\(url): HTTP status \(answer.status) \(answer.reason)") }
            return try JSONValue(parsing: answer.body.span).array ?? []
        }

        private func target(_ instance: JSONValue) -> Labels {
            let address = instance["Address"]?.string ?? ""
            let port = instance["Port"]?.int64 ?? 0
            let tags = (instance["Tags"]?.array ?? []).compactMap(\.string)
            let separator = configuration.tagSeparator
            return Labels([
                Label(TargetGroup.addressLabel, .hostPort(address, port)),
                Label(Self.prefix + "address", address),
                Label(Self.prefix + "dc", instance["Datacenter"]?.string ?? ""),
                Label(Self.prefix + "node_id", instance["NodeID"]?.string ?? ""),
                Label(Self.prefix + "namespace", instance["Namespace"]?.string ?? ""),
                Label(Self.prefix + "service", instance["ServiceName"]?.string ?? ""),
                Label(Self.prefix + "service_address", address),
                Label(Self.prefix + "service_id", instance["ID"]?.string ?? ""),
                Label(Self.prefix + "service_port", String(port)),
                Label(Self.prefix + "tags", tags.isEmpty ? "" : separator + tags.joined(separator: separator) + separator),
            ])
        }
    }
}
