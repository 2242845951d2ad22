import Codecs
import NIOHTTP1
import Settings
import Telemetry

/// What the two discoveries of Docker share: where its daemon listens, and what is asked for.
struct DockerAPI: Sendable, Hashable {
    /// An entry of `filters`.
    struct Filter: Sendable, Hashable {
        var name: String
        var values: [String]
    }

    /// `unix:///var/run/docker.sock`, `tcp://host:2375`, `http://…` or `https://…`.
    var host: String
    var filters: [Filter]
    var http: HTTPClientOptions
    /// Of a whole lookup, and for each request.
    var refreshInterval: Duration

    static let keys = ["host", "port", "filters", "refresh_interval"] + HTTPClientOptions.keys

    init(_ node: ConfigurationNode, _ fields: ConfigurationMapping) throws(ConfigurationError) {
        guard let hostNode = fields["host"], try !hostNode.string.isEmpty else { throw node.error("host missing") }
        let address = try hostNode.string
        let isSocket = address.hasPrefix("unix:///")
        let isURL = ["tcp://", "http://", "https://"].contains { address.hasPrefix($0) } && URLParts(address) != nil
        guard isSocket || isURL else {
            throw hostNode.error(
                "\(address.debugDescription) is no address of a Docker daemon: expected unix:///path, tcp://host:port, http:// or https://")
        }
        host = address
        filters = []
        for filter in try fields["filters"]?.list ?? [] {
            let entry = try filter.mapping(["name", "values"])
            filters.append(Filter(name: try entry["name"]?.string ?? "", values: try entry["values"]?.strings ?? []))
        }
        refreshInterval = try fields.refreshInterval(default: .seconds(60))
        http = try HTTPClientOptions(fields)
    }

    /// Gets a list.
    ///
    /// - Parameter isFiltered: whether the configured filters apply.
    func list(
        _ path: String, isFiltered: Bool = false, _ transport: HTTPTransport
    ) async throws(DiscoveryError) -> [JSONValue] {
        var target = path
        if isFiltered, !filters.isEmpty { target += "?filters=" + PercentEncoding.query(filterText) }
        let request: HTTPTransport.Request
        if host.hasPrefix("unix://") {
            request = .init(.GET, "http://docker" + target, unixSocket: String(host.dropFirst("unix://".count)))
        } else {
            var base = host.hasPrefix("tcp://") ? "http://" + host.dropFirst("tcp://".count) : host
            while base.hasSuffix("/") { base.removeLast() }
            request = .init(.GET, base + target)
        }
        let answer: HTTPTransport.Answer
        do throws(HTTPFailure) {
            answer = try await transport.send(request, options: http, timeout: refreshInterval)
        } catch {
            throw DiscoveryError(error.description)
        }
        guard answer.status == 200 else {
            let text = String(decoding: answer.body.prefix(200), as: UTF8.self)
            throw DiscoveryError("\(host) \(path): HTTP status \(answer.status) \(answer.reason): \(text)")
        }
        guard let value = try? JSONValue(parsing: answer.body.span) else { throw DiscoveryError("\(host) \(path): no valid JSON") }
        // Where there is nothing, some versions answer with null.
        guard !value.isNull else { return [] }
        guard let items = value.array else { throw DiscoveryError("\(host) \(path): expected a list") }
        return items
    }

    /// `{"label":{"a=b":true}}`.
    private var filterText: String {
        var names: [String] = []
        var values: [String: [String]] = [:]
        for filter in filters {
            if values[filter.name] == nil { names.append(filter.name) }
            values[filter.name, default: []] += filter.values
        }
        var writer = JSONWriter(escapesHTML: false)
        writer.object { writer in
            for name in names {
                writer.key(name)
                writer.object { writer in
                    for value in values[name] ?? [] { writer.field(value, true) }
                }
            }
        }
        return writer.text
    }

    /// The labels that the networks give to what is in them, by their ids.
    ///
    /// - Parameter prefix: `__meta_docker_` or `__meta_dockerswarm_`.
    func networkLabels(_ prefix: String, _ transport: HTTPTransport) async throws(DiscoveryError) -> [String: [Label]] {
        var result: [String: [Label]] = [:]
        for network in try await list("/networks", transport) {
            guard let id = network["Id"]?.string else { continue }
            var labels = [
                Label(prefix + "network_id", id), Label(prefix + "network_name", network["Name"]?.string ?? ""),
                Label(prefix + "network_scope", network["Scope"]?.string ?? ""),
                Label(prefix + "network_internal", "\(network["Internal"]?.bool ?? false)"),
                Label(prefix + "network_ingress", "\(network["Ingress"]?.bool ?? false)"),
            ]
            labels += network["Labels"].labels(prefix + "network_label_")
            result[id] = labels
        }
        return result
    }
}

extension JSONValue? {
    /// An object's members as labels, their names made fit and put behind `prefix`.
    func labels(_ prefix: String) -> [Label] {
        (self?.object?.members ?? []).map { Label(prefix + LabelName.sanitize($0.name), $0.value.string ?? "") }
    }
}
