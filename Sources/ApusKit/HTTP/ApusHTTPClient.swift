public import AsyncHTTPClient
import Foundation
public import NIOCore
import NIOHTTP1
import Tracing

/// An HTTP client whose requests stand in the trace: a client span, the headers that carry trace and request id on, and
/// `http_client_request_duration_seconds`.
public struct ApusHTTPClient: Sendable {
    /// The client beneath. Shut it down with ``shutdown()``.
    public let client: HTTPClient
    private let service: ApusService

    init(service: ApusService, configuration: HTTPClient.Configuration) {
        var configuration = configuration
        // Its spans are made here; the client's own would be second ones.
        configuration.tracing.tracer = nil
        self.service = service
        self.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Sends a request within the current trace.
    ///
    /// - Throws: whatever the client throws; the span then carries the error.
    public func execute(_ request: HTTPClientRequest, timeout: TimeAmount) async throws -> HTTPClientResponse {
        let url = URL(string: request.url)
        let host = url?.host ?? "unknown"
        let authority = url?.port.map { "\(host):\($0)" } ?? host
        let method = request.method.rawValue
        let started = ContinuousClock.now
        let context = ServiceContext.current ?? .topLevel
        let span = service.tracer.startSpan("\(method) \(authority)", context: context, ofKind: .client)
        defer { span.end() }
        span.updateAttributes { attributes in
            attributes["http.request.method"] = method
            attributes["server.address"] = host
            attributes["server.port"] = url?.port
            attributes["url.full"] = Self.withoutPassword(url)
        }
        var request = request
        service.tracer.inject(span.context, into: &request.headers, using: HeaderInjector())
        if let id = context.requestID, !request.headers.contains(name: RequestID.header) {
            request.headers.add(name: RequestID.header, value: id)
        }
        let traceID = span.context.spanContext.flatMap { $0.isSampled ? $0.traceID : nil }
        func record(status: String) {
            let elapsed = started.duration(to: .now)
            let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
            service.httpMetrics.sent(
                method: method, host: authority, status: status, seconds: seconds, traceID: traceID)
        }
        do {
            let response = try await client.execute(request, timeout: timeout)
            span.attributes["http.response.status_code"] = Int(response.status.code)
            if response.status.code >= 400 { span.setStatus(SpanStatus(code: .error)) }
            record(status: "\(response.status.code)")
            return response
        } catch {
            span.recordError(error)
            span.setStatus(SpanStatus(code: .error, message: "\(error)"))
            record(status: "error")
            throw error
        }
    }

    /// Closes the client's connections.
    public func shutdown() async throws {
        try await client.shutdown()
    }

    private static func withoutPassword(_ url: URL?) -> String? {
        guard let url else { return nil }
        guard url.user != nil || url.password != nil,
            var parts = URLComponents(url: url, resolvingAgainstBaseURL: false)
        else {
            return url.absoluteString
        }
        parts.user = nil
        parts.password = nil
        return parts.string
    }
}

private struct HeaderInjector: Injector {
    func inject(_ value: String, forKey key: String, into headers: inout HTTPHeaders) {
        headers.replaceOrAdd(name: key, value: value)
    }
}
