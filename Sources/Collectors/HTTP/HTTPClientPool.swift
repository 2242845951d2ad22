import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// What an `HTTPClient` is set up for; everything else is told it with each request.
struct HTTPRoute: Sendable, Hashable {
    enum Proxy: Sendable, Hashable {
        case none
        /// Connections through the proxy: SOCKS 5, or CONNECT.
        case tunnel(ProxyServer, [ProxyOptions.ConnectHeader])
        /// Requests to a proxy that passes them on: their first line names the whole URL.
        case forwarding
    }

    /// A name to be asked for in TLS and the host to connect to instead.
    struct NameOverride: Sendable, Hashable {
        var name: String
        var host: String
    }

    var proxy = Proxy.none
    var isHTTP2Enabled = true
    var nameOverride: NameOverride?
}

/// The clients in use, one a route. Those of names that were overridden come and go with their targets.
final class HTTPClientPool: Sendable {
    private struct Entry: Sendable {
        var client: HTTPClient
        var useCount = 0
        var lastUse = ContinuousClock.now
    }

    private struct State: Sendable {
        var entries: [HTTPRoute: Entry] = [:]
        var isShutDown = false
    }

    /// Unused longer than this a client goes; its connections have been closed before.
    private static let idleTime = Duration.seconds(600)
    /// Each has a pool of its own, so that one host with many long requests (watches) does not wait for itself.
    private static let connectionCountPerHostMax = 1_000

    private let state = Mutex(State())

    func withClient<Result: Sendable>(
        _ route: HTTPRoute, _ body: @Sendable (HTTPClient) async throws -> Result
    ) async throws -> Result {
        let (client, idle) = try borrow(route)
        defer { giveBack(route) }
        for client in idle { try? await client.shutdown() }
        return try await body(client)
    }

    func shutdown() async {
        let clients = state.withLock { state in
            state.isShutDown = true
            defer { state.entries = [:] }
            return state.entries.values.map(\.client)
        }
        for client in clients { try? await client.shutdown() }
    }

    /// The client of a route, and those that nobody has used for long.
    private func borrow(_ route: HTTPRoute) throws(HTTPFailure) -> (HTTPClient, idle: [HTTPClient]) {
        let result = state.withLock { state -> (HTTPClient, [HTTPClient])? in
            guard !state.isShutDown else { return nil }
            if var entry = state.entries[route] {
                entry.useCount += 1
                state.entries[route] = entry
                return (entry.client, [])
            }
            let limit = ContinuousClock.now - Self.idleTime
            let idle = state.entries.filter { $0.value.useCount == 0 && $0.value.lastUse < limit }
            for route in idle.keys { state.entries[route] = nil }
            let entry = Entry(client: Self.makeClient(route), useCount: 1)
            state.entries[route] = entry
            return (entry.client, idle.values.map(\.client))
        }
        guard let result else { throw HTTPFailure(.cancelled, "the HTTP client has been shut down") }
        return result
    }

    private func giveBack(_ route: HTTPRoute) {
        state.withLock { state in
            state.entries[route]?.useCount -= 1
            state.entries[route]?.lastUse = .now
        }
    }

    private static func makeClient(_ route: HTTPRoute) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = TLSMaterial.standard
        // The caller's own deadline covers connecting and reading; bodies are decompressed by it, up to its limit.
        configuration.timeout = .init(connect: nil, read: nil)
        configuration.decompression = .disabled
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = route.isHTTP2Enabled ? .automatic : .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connectionCountPerHostMax
        if let override = route.nameOverride { configuration.dnsOverride = [override.name: override.host] }
        switch route.proxy {
        case .none: break
        case .forwarding:
            configuration.httpVersion = .http1Only
            configuration.http1_1ConnectionDebugInitializer = AbsoluteFormHandler.add
        case .tunnel(let server, let headers): configuration.proxy = proxy(server, headers)
        }
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    private static func proxy(
        _ server: ProxyServer, _ headers: [ProxyOptions.ConnectHeader]
    ) -> HTTPClient.Configuration.Proxy {
        guard server.kind != .socks5 else { return .socksServer(host: server.host, port: server.port) }
        var connectHeaders = HTTPHeaders()
        for header in headers {
            for value in header.values { connectHeaders.add(name: header.name, value: value) }
        }
        let authorization = server.username.map {
            HTTPClient.Authorization.basic(username: $0, password: server.password)
        }
        return .server(host: server.host, port: server.port, authorization: authorization, connectHeaders: connectHeaders)
    }
}

/// Names the whole URL in the first line of a request, as a proxy needs it (RFC 9112, section 3.2.2): the client itself would
/// ask for a tunnel, which most proxies refuse to port 80.
private final class AbsoluteFormHandler: ChannelOutboundHandler {
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    /// Puts one before the encoder of a new connection.
    @Sendable
    static func add(to channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.submit {
            let pipeline = channel.pipeline.syncOperations
            let encoder = try pipeline.context(handlerType: HTTPRequestEncoder.self).handler
            try pipeline.addHandler(AbsoluteFormHandler(), position: .after(encoder))
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(var head) = unwrapOutboundIn(data), let host = head.headers.first(name: "Host") else {
            return context.write(data, promise: promise)
        }
        head.uri = "http://" + host + head.uri
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }
}
