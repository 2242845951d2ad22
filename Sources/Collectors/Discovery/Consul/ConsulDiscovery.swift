package import Settings
import Telemetry

/// `consul_sd_configs`: the services of a Consul catalog, followed by blocking queries.
package struct ConsulDiscovery: DiscoveryConfiguration {
    package static let name = "consul"

    package var server = "localhost:8500"
    package var scheme = "http"
    package var pathPrefix = ""
    package var token = ""
    package var datacenter = ""
    package var namespace = ""
    package var partition = ""
    package var tagSeparator = ","
    package var allowsStale = true
    package var refreshInterval: Duration
    /// Empty means all.
    package var services: [String]
    /// A service must have all of them.
    package var tags: [String]
    /// `key:value`, sorted.
    package var nodeMeta: [String]
    /// Expressions for the catalog and for the health endpoint.
    package var filter = ""
    package var healthFilter = ""
    package var http: HTTPClientOptions

    private static let keys =
        [
            "server", "path_prefix", "token", "datacenter", "namespace", "partition", "tag_separator", "scheme", "username",
            "password", "allow_stale", "refresh_interval", "services", "tags", "node_meta", "filter", "health_filter",
        ] + HTTPClientOptions.keys

    package init(_ node: ConfigurationNode, warnings: inout [ConfigurationWarning]) throws(ConfigurationError) {
        let fields = try node.mapping(Self.keys)
        http = try HTTPClientOptions(fields)
        refreshInterval = try fields.refreshInterval(default: .seconds(30))
        services = try fields["services"]?.strings ?? []
        tags = try fields["tags"]?.strings ?? []
        nodeMeta = try fields["node_meta"]?.stringPairs.map { $0.name + ":" + $0.value }.sorted() ?? []
        if let value = fields["server"] {
            server = try value.string
            guard server.contains(where: { !$0.isWhitespace }) else {
                throw value.error("consul SD configuration requires a server address")
            }
        }
        if let value = fields["scheme"] { scheme = try value.choice(["http", "https"]) }
        try readTexts(fields)
        let (username, password) = (try fields["username"]?.string ?? "", try fields["password"]?.string ?? "")
        if !username.isEmpty || !password.isEmpty {
            if fields["basic_auth"] != nil {
                throw node.error("at most one of consul SD configuration username and password and basic auth can be configured")
            }
            http.authorization = .basic(username: .text(username), password: .text(password))
        }
        if let value = fields["token"], !token.isEmpty, fields["authorization"] != nil || fields["oauth2"] != nil {
            throw value.error("at most one of consul SD token, authorization, or oauth2 can be configured")
        }
    }

    private mutating func readTexts(_ fields: ConfigurationMapping) throws(ConfigurationError) {
        pathPrefix = try fields["path_prefix"]?.string ?? ""
        token = try fields["token"]?.string ?? ""
        datacenter = try fields["datacenter"]?.string ?? ""
        namespace = try fields["namespace"]?.string ?? ""
        partition = try fields["partition"]?.string ?? ""
        tagSeparator = try fields["tag_separator"]?.string ?? ","
        allowsStale = try fields["allow_stale"]?.bool ?? true
        filter = try fields["filter"]?.string ?? ""
        healthFilter = try fields["health_filter"]?.string ?? ""
    }

    package func makeDiscovery(_ context: DiscoveryContext) -> any Discovery {
        ConsulWatch(configuration: self, context: context)
    }

    /// Whether the catalog must be asked which services there are.
    var watchesCatalog: Bool { services.isEmpty || !tags.isEmpty || !filter.isEmpty }

    func includes(service: String, tags: [String]) -> Bool {
        (services.isEmpty || services.contains(service)) && self.tags.allSatisfy(tags.contains)
    }
}
