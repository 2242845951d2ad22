package import Settings
import Telemetry

extension ProxyOptions {
    static let keys = ["proxy_url", "no_proxy", "proxy_from_environment", "proxy_connect_header"]

    /// Reads the options of a mapping; refuses what Prometheus refuses (`ProxyConfig.Validate`).
    package init(_ mapping: ConfigurationMapping) throws(ConfigurationError) {
        self.init()
        let urlNode = mapping["proxy_url"]
        url = try urlNode?.string ?? ""
        exceptions = try mapping["no_proxy"]?.string ?? ""
        isFromEnvironment = try mapping["proxy_from_environment"]?.bool ?? false
        for (key, value) in try mapping["proxy_connect_header"]?.pairs ?? [] {
            connectHeaders.append(ConnectHeader(name: try key.nonEmptyString, values: try value.strings))
        }
        connectHeaders.sort { $0.name.utf8Precedes($1.name) }

        if let node = mapping["proxy_connect_header"], !connectHeaders.isEmpty, !isFromEnvironment, url.isEmpty {
            throw node.error(
                "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured")
        }
        if isFromEnvironment, let urlNode, !url.isEmpty {
            throw urlNode.error("if proxy_from_environment is configured, proxy_url must not be configured")
        }
        if let node = mapping["no_proxy"], !exceptions.isEmpty {
            if isFromEnvironment {
                throw node.error("if proxy_from_environment is configured, no_proxy must not be configured")
            }
            if url.isEmpty { throw node.error("if no_proxy is configured, proxy_url must also be configured") }
        }
        if let urlNode, !url.isEmpty, ProxyServer(url) == nil {
            throw urlNode.error(
                "\(url.debugDescription) names no proxy: expected http://host:port, https://host:port or socks5://host:port")
        }
    }
}
