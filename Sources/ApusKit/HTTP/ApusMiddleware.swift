import HTTPTypes
public import Hummingbird
import Logging
import Tracing

/// Observes every request of a Hummingbird router: a server span in the caller's trace, `http_request_duration_seconds`
/// and `http_requests_total` by method, route and status, a request id, and a line in the log.
///
/// The route is the router's own pattern; what no route claims is `unmatched`.
public struct ApusMiddleware<Context: RequestContext>: RouterMiddleware {
    private let service: ApusService
    private let logger: Logger

    init(service: ApusService) {
        self.service = service
        self.logger = service.logger(label: "apus.http")
    }

    @concurrent
    public func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var context = context
        let method = HTTPMetrics.knownMethod(request.method)
        let requestID = RequestID.accepted(RequestID.field.flatMap { request.headers[$0] })
        context.logger[metadataKey: "request_id"] = .string(requestID)
        let isQuiet = service.configuration.quietPaths.contains(request.uri.path)

        var inherited = ServiceContext.topLevel
        if !isQuiet { service.tracer.extract(request.headers, into: &inherited, using: HeaderFieldsExtractor()) }
        inherited.requestID = requestID
        let span: ApusSpan? =
            isQuiet ? nil : service.tracer.startSpan(method, context: inherited, ofKind: .server)
        span?.updateAttributes { attributes in
            attributes["http.request.method"] = method
            attributes["url.path"] = request.uri.path
            attributes["user_agent.original"] = request.headers[.userAgent]
            attributes["server.address"] = request.head.authority
            attributes["request.id"] = requestID
        }
        let observation = RequestObservation(
            service: service, logger: logger, span: span, method: method, path: request.uri.path,
            context: span?.context ?? inherited)

        return try await ServiceContext.withValue(span?.context ?? inherited) {
            do {
                var response = try await next(request, context)
                observation.route = context.endpointPath
                observation.status = Int(response.status.code)
                if let field = RequestID.field { response.headers[field] = requestID }
                response.body = observation.following(response.body)
                return response
            } catch {
                observation.route = context.endpointPath
                observation.status = Int((error as? any HTTPResponseError)?.status.code ?? 500)
                span?.recordError(error)
                observation.finish()
                throw error
            }
        }
    }
}

private struct HeaderFieldsExtractor: Extractor {
    func extract(key: String, from fields: HTTPFields) -> String? {
        HTTPField.Name(key).flatMap { fields[$0] }
    }
}
