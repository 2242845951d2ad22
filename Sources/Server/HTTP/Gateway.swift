import Codecs
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import Query
import Telemetry

/// The one way in for HTTP: finds the route, checks host, origin and token, reads the body within its limits, and turns what the route
/// answers or throws into a response.
struct Gateway: HTTPResponder {
    /// What Hummingbird knows of a request beside the request.
    struct Context: InitializableFromSource {
        let channel: any Channel
        let logger: Logger

        init(source: ApplicationRequestContextSource) {
            channel = source.channel
            logger = source.logger
        }
    }

    let routes: RouteTable
    let settings: LiveSettings
    let metrics: ServerMetrics
    let watch: ConnectionWatch
    let budget: BodyBudget
    let time: TimeSource

    func respond(to request: Request, context: Context) async throws -> Response {
        let start = ContinuousClock.now
        let target = request.head.path ?? "/"
        let isHead = request.head.method == .head
        var call = Call(method: .get, path: String(target.prefix { $0 != "?" && $0 != "#" }))
        call.headers = Self.headers(of: request.head)
        call.connection = watch.connection(of: context.channel)
        var pattern = "other"
        var errors = ErrorShape.text
        var reserved = 0
        defer { budget.release(reserved) }
        var answer: Answer
        do {
            guard let method = Method(rawValue: request.head.method.rawValue) else {
                throw APIError(.methodNotAllowed, "method \(request.head.method.rawValue) is not allowed")
            }
            call.method = method
            let route = try route(&call)
            (pattern, errors) = (route.pattern, route.errors)
            let mark = target.firstIndex(of: "?")
            if let mark { call.query = try FormParameters(target[target.index(after: mark)...].utf8) }
            try admit(&call, to: route)
            call.bodyByteCountMax = settings.current.bodyByteCountMax
            if !method.isSafe { call.body = try await body(of: request, context, limit: call.bodyByteCountMax, reserved: &reserved) }
            answer = try await route.place.run { [call] in try await route.handler(call).compressed(for: call) }
        } catch let error as HTTPParserError {
            throw error
        } catch {
            let error = APIError(error)
            if error.kind == .internal { context.logger.error("request failed", metadata: ["path": "\(call.path)", "error": "\(error.message)"]) }
            answer = errors.answer(error, to: call)
            if error.kind == .tooLarge || error.kind == .overloaded { closeSoon(context.channel) }
        }
        if let session = answer.session {
            do throws(APIError) {
                let key = try WebSocketUpgrade.key(call)
                metrics.answered(route: pattern, status: answer.status, after: ContinuousClock.now - start)
                return try await open(key, context, session)
            } catch {
                answer = errors.answer(error, to: call)
            }
        }
        metrics.answered(route: pattern, status: answer.status, after: ContinuousClock.now - start)
        return response(answer, isHead: isHead)
    }

    /// The route of a call, whose captures it sets.
    private func route(_ call: inout Call) throws(APIError) -> Route {
        switch routes.match(call.method, path: call.path) {
        case .route(let route, let captures):
            call.captures = captures
            return route
        case .otherMethods(let methods):
            throw APIError(
                .methodNotAllowed,
                "method \(call.method.rawValue) is not allowed here, only \(Set(methods.map(\.rawValue)).sorted().joined(separator: ", "))")
        case .none:
            throw APIError(.notFound, "there is nothing at \(call.path.prefix(256))")
        }
    }

    /// Checks host, origin and token, and sets the call's principal.
    private func admit(_ call: inout Call, to route: Route) throws(APIError) {
        let access = settings.current.access
        if !access.isRequired, let hosts = access.hosts { try Origin.checkHost(call.headers["host"], allowed: hosts) }
        // A WebSocket opens with a GET, but other web sites may open one as well: browsers do not ask first.
        try Origin.check(method: WebSocketUpgrade.isAsked(call) ? .post : call.method, headers: call.headers)
        guard let scope = route.scope else {
            // An open endpoint answers whatever token comes with it.
            call.principal = (try? access.principal(headers: call.headers, now: time.milliseconds / 1_000)) ?? .anonymous
            return
        }
        call.principal = try access.principal(headers: call.headers, now: time.milliseconds / 1_000)
        try access.require(scope, of: call.principal)
    }

    private func body(of request: Request, _ context: Context, limit: Int, reserved: inout Int) async throws -> [UInt8] {
        func tooLarge() -> APIError { APIError(.tooLarge, "the body is larger than the limit of \(limit) bytes") }
        let length = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        if length > limit { throw tooLarge() }
        let channel = context.channel
        let deadline = channel.eventLoop.scheduleTask(in: .seconds(Limits.bodyTimeoutSeconds)) { channel.close(promise: nil) }
        defer { deadline.cancel() }
        var bytes: [UInt8] = []
        // Room for what was announced, or growing would copy it several times; not for more than a sender may make up.
        bytes.reserveCapacity(min(max(0, length), Limits.bodyReservationByteCountMax))
        for try await buffer in request.body {
            let count = buffer.readableBytes
            guard bytes.count + count <= limit else { throw tooLarge() }
            try budget.reserve(count)
            reserved += count
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        return bytes
    }

    private func open(_ key: String, _ context: Context, _ session: @escaping WebSocketSession) async throws(APIError) -> Response {
        do {
            return try await WebSocketUpgrade.response(key, on: context.channel, session)
        } catch {
            throw APIError(.unavailable, "the connection cannot become a WebSocket: \(error)")
        }
    }

    /// Closes the connection when the answer has had time to leave: what is left of a body over the limit is not read.
    private func closeSoon(_ channel: any Channel) {
        channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }

    private func response(_ answer: Answer, isHead: Bool) -> Response {
        var headers = HTTPFields()
        if !answer.contentType.isEmpty { headers[.contentType] = answer.contentType }
        for header in SecurityHeaders.common { headers.append(name: header.name, value: header.value) }
        for header in answer.headers { headers.append(name: header.name, value: header.value) }
        if headers[.contentSecurityPolicy] == nil { headers[.contentSecurityPolicy] = SecurityHeaders.strictPolicy }
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
        let response = Response(status: HTTPResponse.Status(code: answer.status), headers: headers, body: Self.body(of: answer))
        return isHead ? response.createHeadResponse() : response
    }

    private static func body(of answer: Answer) -> ResponseBody {
        guard let stream = answer.stream else { return ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)) }
        return ResponseBody(asyncSequence: BodyPieces(stream: stream))
    }

    private static func headers(of head: HTTPRequest) -> [String: String] {
        var headers: [String: String] = [:]
        if let authority = head.authority { headers["host"] = authority }
        for field in head.headerFields {
            let name = field.name.canonicalName
            // Cookies may come in several fields (RFC 9113, section 8.2.3); of other fields the first one counts.
            if name == "cookie", let first = headers[name] {
                headers[name] = first + "; " + field.value
            } else if headers[name] == nil {
                headers[name] = field.value
            }
        }
        return headers
    }
}

/// A body that is made piece by piece.
private struct BodyPieces: AsyncSequence, Sendable {
    let stream: BodyStream

    struct AsyncIterator: AsyncIteratorProtocol {
        let stream: BodyStream

        func next() async throws -> ByteBuffer? {
            let stream = stream
            let piece = try await withTaskExecutorPreference(WorkerThreads.requests) { try await stream() }
            return piece.map { ByteBuffer(bytes: $0) }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: stream) }
}

extension HTTPFields {
    /// Adds a field whose name is a literal of ours; a name that HTTP does not take is left out.
    fileprivate mutating func append(name: String, value: String) {
        guard let name = Element.Name(name) else { return }
        append(Element(name: name, value: value))
    }
}
