import Codecs
import NIOHTTP1

/// Blocking queries of Consul's HTTP API (developer.hashicorp.com/consul/api-docs/features/blocking).
struct ConsulAPI: Sendable {
    struct Answer: Sendable {
        var value: JSONValue
        /// Given back with the next query, which then waits for a change.
        var index: UInt64
    }

    let configuration: ConsulDiscovery
    let transport: HTTPTransport

    /// How long a query waits on the server for a change.
    static let waitSeconds = 120
    /// Beyond that the server may add a sixteenth, and then some.
    private static let timeout = Duration.seconds(waitSeconds + 15)

    /// - Parameters:
    ///   - index: of the answer before; 0 asks for what there is now.
    ///   - datacenter: empty for the agent's own.
    func query(
        _ path: String, parameters: [(String, String)] = [], datacenter: String, index: UInt64
    ) async throws(DiscoveryError) -> Answer {
        var query = parameters
        func add(_ name: String, _ value: String) { if !value.isEmpty { query.append((name, value)) } }
        add("dc", datacenter)
        add("ns", configuration.namespace)
        add("partition", configuration.partition)
        for pair in configuration.nodeMeta { add("node-meta", pair) }
        if configuration.allowsStale { add("stale", "true") }
        if index > 0 {
            add("index", String(index))
            add("wait", "\(Self.waitSeconds)s")
        }
        let value = try await get(path, query)
        let text = value.headers.first(name: "X-Consul-Index") ?? ""
        return Answer(value: value.json, index: UInt64(text) ?? 0)
    }

    func get(
        _ path: String, _ query: [(String, String)] = []
    ) async throws(DiscoveryError) -> (json: JSONValue, headers: HTTPHeaders) {
        var prefix = configuration.pathPrefix
        while prefix.hasSuffix("/") { prefix.removeLast() }
        if !prefix.isEmpty, !prefix.hasPrefix("/") { prefix = "/" + prefix }
        let text = query.map { PercentEncoding.query($0.0) + "=" + PercentEncoding.query($0.1) }.joined(separator: "&")
        // The address may bring a scheme of its own.
        let base = configuration.server.contains("://") ? configuration.server : "\(configuration.scheme)://\(configuration.server)"
        let url = base + prefix + path + (text.isEmpty ? "" : "?" + text)
        let headers: HTTPHeaders = configuration.token.isEmpty ? [:] : ["X-Consul-Token": configuration.token]
        let answer: HTTPTransport.Answer
        do throws(HTTPFailure) {
            answer = try await transport.send(
                .init(.GET, url, headers: headers), options: configuration.http, timeout: Self.timeout)
        } catch {
            throw DiscoveryError(error.description)
        }
        guard answer.status == 200 else {
            let text = String(decoding: answer.body.prefix(200), as: UTF8.self)
            throw DiscoveryError("\(base)\(path): HTTP status \(answer.status) \(answer.reason): \(text)")
        }
        do {
            return (try JSONValue(parsing: answer.body.span), answer.headers)
        } catch {
            throw DiscoveryError("\(base)\(path): no valid JSON: \(error)")
        }
    }
}
