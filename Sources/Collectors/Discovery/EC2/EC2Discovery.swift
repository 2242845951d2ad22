package import Settings
import Telemetry

/// `ec2_sd_configs`: the instances of an AWS account in one region.
package struct EC2Discovery: DiscoveryConfiguration {
    package static let name = "ec2"

    struct Filter: Sendable, Hashable {
        var name: String
        var values: [String]
    }

    /// Empty means the service's own in the region.
    package var endpoint = ""
    /// Empty means that of this machine.
    package var region = ""
    package var accessKey = ""
    package var secretKey = ""
    package var profile = ""
    /// A role that is taken on, and what its owner wants told with that.
    package var roleARN = ""
    package var externalID = ""
    package var port: Int
    package var refreshInterval: Duration
    var filters: [Filter] = []
    package var http: HTTPClientOptions

    private static let keys =
        [
            "endpoint", "region", "access_key", "secret_key", "profile", "role_arn", "external_id", "refresh_interval", "port",
            "filters",
        ] + HTTPClientOptions.keys

    package init(_ node: ConfigurationNode, warnings: inout [ConfigurationWarning]) throws(ConfigurationError) {
        let fields = try node.mapping(Self.keys)
        http = try HTTPClientOptions(fields)
        port = try fields.port(default: 80)
        refreshInterval = try fields.refreshInterval(default: .seconds(60))
        endpoint = try fields["endpoint"]?.string ?? ""
        if let value = fields["endpoint"], !endpoint.isEmpty, URLParts(endpoint) == nil {
            throw value.error("\(endpoint.debugDescription) is no URL: expected https://host")
        }
        region = try fields["region"]?.string ?? ""
        accessKey = try fields["access_key"]?.string ?? ""
        secretKey = try fields["secret_key"]?.string ?? ""
        profile = try fields["profile"]?.string ?? ""
        roleARN = try fields["role_arn"]?.string ?? ""
        externalID = try fields["external_id"]?.string ?? ""
        for item in try fields["filters"]?.list ?? [] {
            let entry = try item.mapping(["name", "values"])
            let values = try entry["values"]?.strings ?? []
            guard !values.isEmpty else { throw item.error("EC2 SD configuration filter values cannot be empty") }
            filters.append(Filter(name: try entry["name"]?.string ?? "", values: values))
        }
    }

    package func makeDiscovery(_ context: DiscoveryContext) -> any Discovery {
        EC2Lookup(api: EC2API(configuration: self, context: context), configuration: self)
    }
}
