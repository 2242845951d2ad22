import HTTPTypes

/// What is measured of requests answered and sent.
struct HTTPMetrics: Sendable {
    let registry: PrometheusRegistry
    let inFlight: PrometheusGauge

    init(registry: PrometheusRegistry) {
        self.registry = registry
        inFlight = registry.gauge("http_requests_in_flight", help: "Requests being answered now.")
    }

    func answered(method: String, route: String, status: Int, seconds: Double, traceID: TraceID?) {
        let labels = [("method", method), ("route", route), ("status", "\(status)")]
        registry.counter(
            "http_requests_total", labels: labels, help: "Requests answered, by method, route and status code."
        ).increment(by: 1.0)
        registry.histogram(
            "http_request_duration_seconds", labels: labels,
            help: "Time from a request's header to the end of its answer."
        ).observe(seconds, traceID: traceID)
    }

    /// - Parameter status: the code, or `error` where no answer came.
    func sent(method: String, host: String, status: String, seconds: Double, traceID: TraceID?) {
        registry.histogram(
            "http_client_request_duration_seconds", labels: [("method", method), ("host", host), ("status", status)],
            help: "Time from sending a request to the header of its answer; status is 'error' where none came."
        ).observe(seconds, traceID: traceID)
    }

    /// Keeps what a stranger sends as method from becoming a label value.
    static func knownMethod(_ method: HTTPRequest.Method) -> String {
        known.contains(method) ? method.rawValue : "_OTHER"
    }

    private static let known: Set<HTTPRequest.Method> = [
        .get, .head, .post, .put, .patch, .delete, .connect, .options, .trace,
    ]
}
