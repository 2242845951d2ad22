import AsyncHTTPClient
import NIOCore
package import NIOHTTP1
import Settings

/// Sends requests under ``HTTPClientOptions``: authorization, TLS, proxies, redirects, tokens.
///
/// Connections are kept and shared by requests of equal options. It must be shut down with ``shutdown()``.
package final class HTTPTransport: Sendable {
    package struct Request: Sendable {
        package var method: HTTPMethod
        package var url: String
        package var headers: HTTPHeaders
        package var body: [UInt8]?
        /// The path of a Unix socket to be connected to in place of the URL's host.
        package var unixSocket: String?

        package init(
            _ method: HTTPMethod = .GET, _ url: String, headers: HTTPHeaders = [:], body: [UInt8]? = nil, unixSocket: String? = nil
        ) {
            self.method = method
            self.url = url
            self.headers = headers
            self.body = body
            self.unixSocket = unixSocket
        }
    }

    package struct Answer: Sendable {
        package var status: Int
        package var reason: String
        package var headers: HTTPHeaders
        /// As it came: not decompressed.
        package var body: [UInt8]
    }

    /// As many as Go's client follows.
    private static let redirectCountMax = 10
    /// What is read of an answer that redirects, so that its connection can be used again.
    private static let redirectBodyByteCountMax = 1 << 16

    private let clients = HTTPClientPool()
    private let material = TLSMaterial()
    private let tokens = OAuth2TokenCache()
    private let environment: [String: String]
    private let userAgent: String

    /// - Parameters:
    ///   - userAgent: sent where a request names none.
    ///   - environment: where `proxy_from_environment` looks.
    package init(userAgent: String = "Apus", environment: [String: String] = ProcessEnvironment.variables) {
        self.userAgent = userAgent
        self.environment = environment
    }

    package func shutdown() async {
        await clients.shutdown()
    }

    /// Sends a request and waits for its whole answer, redirects included.
    ///
    /// - Parameters:
    ///   - timeout: for everything together.
    ///   - byteCountMax: of the body.
    package func send(
        _ request: Request, options: HTTPClientOptions = HTTPClientOptions(), timeout: Duration, byteCountMax: Int = 64 << 20
    ) async throws(HTTPFailure) -> Answer {
        do {
            return try await withThrowingTaskGroup(of: Answer.self) { group in
                group.addTask {
                    // The timer below covers the body too; this one only lets the request end as well.
                    let deadline = NIODeadline.now() + .milliseconds(timeout.milliseconds &+ 1_000)
                    return try await self.exchange(request, options, headBy: deadline) { response in
                        try await Self.collect(response, byteCountMax: byteCountMax)
                    }
                }
                group.addTask {
                    try await Task.sleep(for: timeout)
                    throw HTTPFailure.timedOut(request, after: timeout)
                }
                defer { group.cancelAll() }
                guard let answer = try await group.next() else { throw HTTPFailure.timedOut(request, after: timeout) }
                return answer
            }
        } catch let error as HTTPFailure {
            throw error
        } catch {
            throw HTTPFailure(error, of: request)
        }
    }

    /// Sends a request and hands over its answer as soon as its head is there: for answers that go on.
    ///
    /// - Parameters:
    ///   - headTimeout: until the head is there; the body may take as long as it likes.
    ///   - read: gets status, headers and the chunks of the body. The connection is given back when it returns.
    package func stream<Result: Sendable>(
        _ request: Request, options: HTTPClientOptions = HTTPClientOptions(), headTimeout: Duration,
        _ read: @escaping @Sendable (Answer, Chunks) async throws -> Result
    ) async throws(HTTPFailure) -> Result {
        do {
            let deadline = NIODeadline.now() + .milliseconds(headTimeout.milliseconds)
            return try await exchange(request, options, headBy: deadline) { response in
                try await read(Answer(response, body: []), response.body.map { Array($0.readableBytesView) })
            }
        } catch let error as HTTPFailure {
            throw error
        } catch {
            throw HTTPFailure(error, of: request)
        }
    }

    /// The body of an answer that goes on, in pieces as they come.
    package typealias Chunks = any AsyncSequence<[UInt8], any Error> & Sendable

    // MARK: - One exchange

    @concurrent
    private func exchange<Result: Sendable>(
        _ request: Request, _ options: HTTPClientOptions, headBy deadline: NIODeadline,
        _ read: @Sendable (HTTPClientResponse) async throws -> Result
    ) async throws -> Result {
        var current = request
        var url = URLParts(request.url)
        let firstHost = url?.host ?? ""
        // Once a redirect has left the host, nothing secret goes along any more, not even back to it.
        var hasLeftHost = false
        for _ in 0...Self.redirectCountMax {
            let prepared = try await prepare(current, url, options, isForeign: hasLeftHost)
            let from = url
            let step: Step<Result> = try await clients.withClient(prepared.route) { client in
                let response = try await Self.execute(prepared.request, client, deadline: deadline)
                guard options.followRedirects, let next = Self.redirection(of: response, from: from) else {
                    return .answered(try await read(response))
                }
                _ = try? await response.body.collect(upTo: Self.redirectBodyByteCountMax)
                return .redirected(to: next, status: response.status.code)
            }
            switch step {
            case .answered(let result): return result
            case .redirected(let next, let status):
                hasLeftHost = hasLeftHost || !Self.isHost(next.host, within: firstHost)
                current.redirect(to: next.text, status: status)
                url = next
            }
        }
        throw HTTPFailure(.redirects, "\(request.verb) \"\(request.url)\": stopped after \(Self.redirectCountMax) redirects")
    }

    private static func execute(
        _ request: HTTPClientRequest, _ client: HTTPClient, deadline: NIODeadline
    ) async throws -> HTTPClientResponse {
        do {
            return try await client.execute(request, deadline: deadline)
        } catch let error as HTTPClientError where error == .remoteConnectionClosed && request.method == .GET {
            // A kept connection that the server closed while the request was on its way: net/http asks again, too.
            return try await client.execute(request, deadline: deadline)
        }
    }

    private static func redirection(of response: HTTPClientResponse, from url: URLParts?) -> URLParts? {
        switch response.status.code {
        case 301, 302, 303, 307, 308: response.headers.first(name: "Location").flatMap { url?.resolving($0) }
        default: nil
        }
    }

    /// Whether `host` is `parent` or below it (net/http, `isDomainOrSubdomain`).
    private static func isHost(_ host: String, within parent: String) -> Bool {
        if host == parent { return true }
        return !parent.isEmpty && !host.contains(":") && host.hasSuffix("." + parent)
    }

    private static func collect(_ response: HTTPClientResponse, byteCountMax: Int) async throws -> Answer {
        var bytes: [UInt8] = []
        for try await chunk in response.body {
            guard bytes.count + chunk.readableBytes <= byteCountMax else {
                throw HTTPFailure(.tooLarge, "the answer is larger than \(byteCountMax) bytes")
            }
            bytes.append(contentsOf: chunk.readableBytesView)
        }
        return Answer(response, body: bytes)
    }

    // MARK: - Preparing a request

    private struct Prepared: Sendable {
        var request: HTTPClientRequest
        var route: HTTPRoute
    }

    /// Adds what the options say, and chooses the connection.
    ///
    /// - Parameter isForeign: a redirect has led to another host: nothing secret goes there.
    private func prepare(
        _ request: Request, _ url: URLParts?, _ options: HTTPClientOptions, isForeign: Bool
    ) async throws -> Prepared {
        var result = HTTPClientRequest(url: request.url)
        result.method = request.method
        result.headers = request.headers
        if result.headers.first(name: "User-Agent") == nil { result.headers.add(name: "User-Agent", value: userAgent) }
        if let body = request.body { result.body = .bytes(body) }
        for header in options.headers where !isForeign || !Self.sensitiveHeaders.contains(header.name.lowercased()) {
            for value in header.values { result.headers.add(name: header.name, value: try value.text) }
        }
        if !isForeign, result.headers.first(name: "Authorization") == nil {
            if let value = try await authorization(options, url) {
                result.headers.add(name: "Authorization", value: value)
            }
        } else if isForeign {
            for name in Self.sensitiveHeaders { result.headers.remove(name: name) }
        }
        var route = HTTPRoute()
        route.isHTTP2Enabled = options.enableHTTP2
        if let path = request.unixSocket {
            result.url = "http+unix://" + PercentEncoding.query(path) + (url?.target ?? "/")
            result.headers.replaceOrAdd(name: "Host", value: url?.authority ?? "localhost")
            return Prepared(request: result, route: route)
        }
        guard let url else {
            throw HTTPFailure(.options, "\(request.url.debugDescription) is no URL: expected http://… or https://…")
        }
        if options.tls != TLSOptions() { result.tlsConfiguration = try material.configuration(for: options.tls) }
        try choose(&route, &result, url, options)
        return Prepared(request: result, route: route)
    }

    private func choose(
        _ route: inout HTTPRoute, _ request: inout HTTPClientRequest, _ url: URLParts, _ options: HTTPClientOptions
    ) throws(HTTPFailure) {
        if options.proxy != ProxyOptions() {
            let choice = ProxyChoice(options.proxy, environment: environment)
            if let server = choice.server(for: url) {
                guard server.kind == .socks5 || url.isSecure else {
                    // What is not encrypted is asked of the proxy itself, under its whole URL (RFC 9112, section 3.2.2).
                    route.proxy = .forwarding
                    request.url = server.url + url.target
                    request.headers.replaceOrAdd(name: "Host", value: url.authority)
                    if let value = server.authorization {
                        request.headers.replaceOrAdd(name: "Proxy-Authorization", value: value)
                    }
                    return
                }
                guard server.kind != .https else {
                    throw HTTPFailure(.options, "a proxy that is itself reached over TLS cannot tunnel to https targets: use an http:// proxy")
                }
                route.proxy = .tunnel(server, options.proxy.connectHeaders)
            }
        }
        // The name that TLS asks for replaces the host; the connection still goes to the host.
        let name = options.tls.serverName
        if url.isSecure, !name.isEmpty, name.lowercased() != url.host {
            route.nameOverride = HTTPRoute.NameOverride(name: name, host: url.host)
            request.url = "https://\(URLParts.bracketed(name)):\(url.effectivePort)\(url.target)"
            request.headers.replaceOrAdd(name: "Host", value: url.authority)
        }
    }

    private func authorization(_ options: HTTPClientOptions, _ url: URLParts?) async throws(HTTPFailure) -> String? {
        if case .oauth2(let oauth2) = options.authorization {
            return try await tokens.header(for: oauth2, transport: self)
        }
        if let header = try options.authorization.header { return header }
        return url?.credentials.map { HTTPAuthorization.basicHeader(username: $0.username, password: $0.password) }
    }

    private static let sensitiveHeaders: Set<String> = [
        "authorization", "www-authenticate", "cookie", "cookie2", "proxy-authorization", "proxy-authenticate",
    ]
}

/// What one request of an exchange led to.
private enum Step<Result: Sendable>: Sendable {
    case answered(Result)
    case redirected(to: URLParts, status: UInt)
}

extension HTTPTransport.Request {
    /// The method as Go's errors write it: `Get`.
    var verb: String { method.rawValue.prefix(1).uppercased() + method.rawValue.dropFirst().lowercased() }

    /// What net/http makes of a request that is redirected.
    fileprivate mutating func redirect(to url: String, status: UInt) {
        self.url = url
        guard status != 307, status != 308, method != .GET, method != .HEAD else { return }
        method = .GET
        body = nil
        headers.remove(name: "Content-Type")
        headers.remove(name: "Content-Encoding")
    }
}

extension HTTPTransport.Answer {
    fileprivate init(_ response: HTTPClientResponse, body: [UInt8]) {
        self.init(
            status: Int(response.status.code), reason: response.status.reasonPhrase, headers: response.headers, body: body)
    }
}
