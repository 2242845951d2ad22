import Hummingbird
import Logging
import Synchronization
import Tracing

/// One request from its header to the last byte of its answer. Finishes once: when the answer is written, when it
/// fails, or when it is let go unwritten, because the client has gone or asked for the header alone.
final class RequestObservation: Sendable {
    private struct State {
        var route: String?
        var status = 500
        var byteCount: Int?
        var isFinished = false
    }

    private let service: ApusService
    private let logger: Logger
    private let span: ApusSpan?
    private let method: String
    private let path: String
    private let context: ServiceContext
    private let started = ContinuousClock.now
    private let state = Mutex(State())

    init(service: ApusService, logger: Logger, span: ApusSpan?, method: String, path: String, context: ServiceContext) {
        self.service = service
        self.logger = logger
        self.span = span
        self.method = method
        self.path = path
        self.context = context
        service.httpMetrics.inFlight.add(1)
    }

    deinit { finish() }

    /// The route's pattern; nil: none matched.
    var route: String? {
        get { state.withLock { $0.route } }
        set { state.withLock { $0.route = newValue } }
    }

    var status: Int {
        get { state.withLock { $0.status } }
        set { state.withLock { $0.status = newValue } }
    }

    /// The same body, at whose end the request is finished.
    func following(_ body: ResponseBody) -> ResponseBody {
        state.withLock { $0.byteCount = body.contentLength }
        return ResponseBody(contentLength: body.contentLength) { writer in
            defer { self.finish() }
            try await body.write(writer)
        }
    }

    func finish() {
        let ended = state.withLock { state -> State? in
            if state.isFinished { return nil }
            state.isFinished = true
            return state
        }
        guard let ended else { return }
        let elapsed = started.duration(to: .now)
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        // A pattern begins with a slash; Hummingbird's "NotFound" does not, and is no route.
        let route = ended.route.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "unmatched"
        let kept = span == nil ? nil : context.spanContext.flatMap { $0.isSampled ? $0.traceID : nil }
        service.httpMetrics.inFlight.add(-1)
        service.httpMetrics.answered(
            method: method, route: route, status: ended.status, seconds: seconds, traceID: kept)
        guard let span else { return }
        span.operationName = "\(method) \(route)"
        span.updateAttributes { attributes in
            attributes["http.route"] = route
            attributes["http.response.status_code"] = ended.status
            attributes["http.response.body.size"] = ended.byteCount
        }
        if ended.status >= 500 { span.setStatus(SpanStatus(code: .error)) }
        span.end()
        log(route: route, ended, milliseconds: seconds * 1000)
    }

    private func log(route: String, _ ended: State, milliseconds: Double) {
        var metadata: Logger.Metadata = [
            "method": .string(method), "route": .string(route), "path": .string(path),
            "status": .stringConvertible(ended.status),
            "duration_ms": .stringConvertible((milliseconds * 1000).rounded() / 1000),
        ]
        if let byteCount = ended.byteCount { metadata["bytes"] = .stringConvertible(byteCount) }
        // The answer may be written outside the request's task, where its context is not the current one.
        ServiceContext.withValue(context) {
            if ended.status >= 500 {
                logger.error("request failed", metadata: metadata)
            } else {
                logger.info("request", metadata: metadata)
            }
        }
    }
}
