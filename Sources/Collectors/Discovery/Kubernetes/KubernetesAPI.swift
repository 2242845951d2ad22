import Codecs
import NIOHTTP1

/// Lists and watches of a cluster's API server (kubernetes.io/docs/reference/using-api/api-concepts).
struct KubernetesAPI: Sendable {
    struct Page: Sendable {
        var objects: [KubernetesObject]
        var resourceVersion: String
        /// Asks for the next page; empty where there is none.
        var continuation: String
    }

    enum Event: Sendable {
        case set(KubernetesObject)
        case removed(key: String)
        /// Nothing happened up to this version.
        case bookmark
        /// The version asked for is too old: everything must be listed again.
        case expired
    }

    let connection: KubernetesConnection
    let transport: HTTPTransport

    /// Objects of one page.
    private static let pageCount = 500
    private static let listTimeout = Duration.seconds(60)
    private static let headTimeout = Duration.seconds(30)
    /// One event: an object may have 1.5 MiB in the server's own store.
    private static let lineByteCountMax = 16 << 20
    private static let expiredStatus: Int64 = 410

    func list(
        _ scope: KubernetesObjects.Scope, _ selector: KubernetesDiscovery.Selector, continuation: String
    ) async throws(DiscoveryError) -> Page? {
        var query = [("limit", String(Self.pageCount))]
        if !continuation.isEmpty { query.append(("continue", continuation)) }
        let request = request(scope, selector, query)
        let answer: HTTPTransport.Answer
        do throws(HTTPFailure) {
            answer = try await transport.send(request, options: connection.http, timeout: Self.listTimeout)
        } catch {
            throw DiscoveryError(error.description)
        }
        // The rest of a list that has grown too old: start again.
        if answer.status == Self.expiredStatus { return nil }
        guard answer.status == 200 else { throw refusal(request.url, answer.status, answer.body) }
        guard let list = try? JSONValue(parsing: answer.body.span), let items = list["items"] else {
            throw DiscoveryError("\(request.url): no list in JSON")
        }
        return Page(
            objects: (items.array ?? []).map { KubernetesObject(scope.kind, $0) },
            resourceVersion: list["metadata"]?["resourceVersion"]?.string ?? "",
            continuation: list["metadata"]?["continue"]?.string ?? "")
    }

    /// Follows changes until the server ends the answer.
    ///
    /// - Parameters:
    ///   - version: after which changes are told.
    ///   - didStart: the server has accepted the watch.
    ///   - receive: an event and the version that it led to; returns whether to go on.
    func watch(
        _ scope: KubernetesObjects.Scope, _ selector: KubernetesDiscovery.Selector, from version: String,
        didStart: @escaping @Sendable () -> Void, _ receive: @escaping @Sendable (Event, String) -> Bool
    ) async throws(DiscoveryError) {
        // Spread, so that the watches of many do not all end together.
        let seconds = Int.random(in: 300..<600)
        let request = request(
            scope, selector,
            [
                ("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", version), ("timeoutSeconds", String(seconds)),
            ])
        do throws(HTTPFailure) {
            try await transport.stream(request, options: connection.http, headTimeout: Self.headTimeout) { head, chunks in
                if head.status == Self.expiredStatus {
                    _ = receive(.expired, "")
                    return
                }
                guard head.status == 200 else {
                    var body: [UInt8] = []
                    for try await chunk in chunks where body.count < 1 << 16 { body += chunk }
                    throw HTTPFailure(.unauthorized, refusal(request.url, head.status, body).description)
                }
                didStart()
                var lines = LineBuffer(byteCountMax: Self.lineByteCountMax)
                for try await chunk in chunks {
                    for line in try lines.append(chunk) where try !Self.deliver(line, scope.kind, receive) { return }
                }
            }
        } catch {
            throw DiscoveryError(error.description)
        }
    }

    private static func deliver(
        _ line: [UInt8], _ kind: KubernetesKind, _ receive: (Event, String) -> Bool
    ) throws(HTTPFailure) -> Bool {
        guard let event = try? JSONValue(parsing: line.span), let type = event["type"]?.string, let value = event["object"] else {
            throw HTTPFailure(.unreachable, "a watch told of an event that is no JSON")
        }
        let version = value["metadata"]?["resourceVersion"]?.string ?? ""
        switch type {
        case "ADDED", "MODIFIED": return receive(.set(KubernetesObject(kind, value)), version)
        case "DELETED": return receive(.removed(key: KubernetesMetadata(value).key), version)
        case "BOOKMARK": return receive(.bookmark, version)
        case "ERROR" where value["code"]?.int64 == expiredStatus: return receive(.expired, "")
        case "ERROR":
            throw HTTPFailure(.unreachable, "a watch ended with an error: \(value["message"]?.string ?? "")")
        default: return true
        }
    }

    private func request(
        _ scope: KubernetesObjects.Scope, _ selector: KubernetesDiscovery.Selector, _ query: [(String, String)]
    ) -> HTTPTransport.Request {
        var query = query
        if !selector.label.isEmpty { query.append(("labelSelector", selector.label)) }
        if !selector.field.isEmpty { query.append(("fieldSelector", selector.field)) }
        let text = query.map { $0.0 + "=" + PercentEncoding.query($0.1) }.joined(separator: "&")
        return HTTPTransport.Request(
            .GET, connection.url + scope.kind.path(namespace: scope.namespace) + "?" + text, headers: ["Accept": "application/json"])
    }

    /// What the server says where it refuses: a `Status` object.
    private func refusal(_ url: String, _ status: Int, _ body: [UInt8]) -> DiscoveryError {
        let message = (try? JSONValue(parsing: body.span))?["message"]?.string ?? String(decoding: body.prefix(200), as: UTF8.self)
        return DiscoveryError("\(url): HTTP status \(status): \(message)")
    }
}

/// Cuts what comes in pieces into lines.
struct LineBuffer {
    private var rest: [UInt8] = []
    private let byteCountMax: Int

    init(byteCountMax: Int) {
        self.byteCountMax = byteCountMax
    }

    /// The lines that `bytes` end, without their ends; empty ones are left out.
    mutating func append(_ bytes: [UInt8]) throws(HTTPFailure) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var start = bytes.startIndex
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            rest += bytes[start..<end]
            if !rest.isEmpty { lines.append(rest) }
            rest = []
            start = end + 1
        }
        rest += bytes[start...]
        guard rest.count <= byteCountMax else { throw HTTPFailure(.tooLarge, "a line of an answer is longer than \(byteCountMax) bytes") }
        return lines
    }
}
