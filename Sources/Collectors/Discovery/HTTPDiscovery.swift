import NIOHTTP1
package import Settings
import Telemetry

/// `http_sd_configs`: a URL that answers with target groups in JSON.
package struct HTTPDiscovery: DiscoveryConfiguration {
    package static let name = "http"

    package var url: String
    package var refreshInterval: Duration
    package var http: HTTPClientOptions

    package init(_ node: ConfigurationNode, warnings: inout [ConfigurationWarning]) throws(ConfigurationError) {
        let fields = try node.mapping(["url", "refresh_interval"] + HTTPClientOptions.keys)
        let urlNode = try fields.required("url")
        url = try urlNode.nonEmptyString
        guard let parts = URLParts(url) else { throw urlNode.error("\(url.debugDescription) is no URL: host is missing") }
        guard parts.scheme == "http" || parts.scheme == "https" else {
            throw urlNode.error("URL scheme must be 'http' or 'https'")
        }
        refreshInterval = try fields.refreshInterval(default: .seconds(60))
        http = try HTTPClientOptions(fields)
    }

    package func makeDiscovery(_ context: DiscoveryContext) -> any Discovery {
        Lookup(configuration: self, transport: context.transport)
    }

    private struct Lookup: RefreshedDiscovery {
        let configuration: HTTPDiscovery
        let transport: HTTPTransport

        var refreshInterval: Duration { configuration.refreshInterval }

        func refresh() async throws -> [TargetGroup] {
            let url = configuration.url
            let request = HTTPTransport.Request(
                .GET, url,
                headers: [
                    "Accept": "application/json",
                    "X-Prometheus-Refresh-Interval-Seconds": ScrapeClient.seconds(refreshInterval),
                ])
            let answer = try await transport.send(request, options: configuration.http, timeout: refreshInterval)
            guard answer.status == 200 else {
                throw DiscoveryError("\(url): server returned HTTP status \(answer.status) \(answer.reason)")
            }
            let type = answer.headers.first(name: "Content-Type") ?? ""
            guard Self.isJSON(type) else {
                throw DiscoveryError("\(url): unsupported content type \(type.debugDescription): expected application/json")
            }
            do {
                return try TargetGroup.groups(json: answer.body, source: url, labels: [Label("__meta_url", url)])
            } catch {
                throw DiscoveryError("\(url): \(error)")
            }
        }

        private static func isJSON(_ type: String) -> Bool {
            let text = type.lowercased().filter { !$0.isWhitespace && $0 != "\"" }
            return text == "application/json" || text == "application/json;charset=utf-8"
        }
    }
}
