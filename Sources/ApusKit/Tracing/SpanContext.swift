package import Tracing

/// What a span hands on to its children, in this process and others.
package struct SpanContext: Sendable, Equatable {
    package var traceID: TraceID
    package var spanID: SpanID
    /// Whether the trace is kept: decided where it began, and followed by everyone after.
    package var isSampled: Bool
    /// Other vendors' words, passed on as they came.
    package var traceState: String

    package init(traceID: TraceID, spanID: SpanID, isSampled: Bool, traceState: String = "") {
        self.traceID = traceID
        self.spanID = spanID
        self.isSampled = isSampled
        self.traceState = traceState
    }
}

private enum SpanContextKey: ServiceContextKey {
    typealias Value = SpanContext
    static var nameOverride: String? { "apus-span-context" }
}

private enum RequestIDKey: ServiceContextKey {
    typealias Value = String
    static var nameOverride: String? { "apus-request-id" }
}

extension ServiceContext {
    package var spanContext: SpanContext? {
        get { self[SpanContextKey.self] }
        set { self[SpanContextKey.self] = newValue }
    }

    /// The id of the request being answered.
    package var requestID: String? {
        get { self[RequestIDKey.self] }
        set { self[RequestIDKey.self] = newValue }
    }
}
