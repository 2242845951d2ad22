public import AsyncHTTPClient
public import Hummingbird
import Logging
public import ServiceLifecycle

/// A backend under observation: gives the router its middleware, and sends its traces while it runs.
public final class ApusService: Service {
    /// How it was set up.
    public let configuration: ApusConfiguration

    package let registry: PrometheusRegistry
    package let tracer: ApusTracer
    let httpMetrics: HTTPMetrics
    private let sink: LogSink
    private let exporter: SpanExporter?

    /// Sets everything up without making it the process's: ``Apus/bootstrap(_:)`` does that.
    package init(_ configuration: ApusConfiguration) throws(ApusError) {
        self.configuration = configuration
        let registry = PrometheusRegistry()
        self.registry = registry
        self.sink = try LogSink(
            file: configuration.logFile,
            dropped: registry.counter("apus_kit_log_lines_dropped_total", help: "Log lines that could not be written."))
        self.httpMetrics = HTTPMetrics(registry: registry)
        let queue = SpanQueue(
            dropped: registry.counter(
                "apus_kit_spans_dropped_total",
                help: "Spans given up: the queue was full or the collector did not take them."))
        self.tracer = ApusTracer(queue: configuration.tracesEndpoint == nil ? nil : queue)
        if let endpoint = configuration.tracesEndpoint {
            let handler = JSONLogHandler(
                label: "apus.export", service: configuration.service, level: configuration.logLevel, sink: sink)
            self.exporter = SpanExporter(
                endpoint: endpoint, headers: configuration.exportHeaders,
                resource: ResourceAttributes.describe(configuration), queue: queue,
                exported: registry.counter("apus_kit_spans_exported_total", help: "Spans that the collector accepted."),
                logger: Logger(label: "apus.export") { _ in handler })
        } else {
            self.exporter = nil
        }
        ProcessMetrics.register(in: registry)
    }

    /// Observes every request of a router: add it first.
    public func middleware<Context: RequestContext>(for context: Context.Type = BasicRequestContext.self)
        -> ApusMiddleware<Context>
    {
        ApusMiddleware(service: self)
    }

    /// Adds `GET /metrics`: Prometheus' text format, or OpenMetrics with exemplars for those who ask for it.
    public func mount<Context: RequestContext>(on router: some RouterMethods<Context>) {
        MetricsRoute.mount(registry: registry, on: router)
    }

    /// An HTTP client whose requests carry the trace on.
    public func httpClient(configuration: HTTPClient.Configuration = .init()) -> ApusHTTPClient {
        ApusHTTPClient(service: self, configuration: configuration)
    }

    /// Sends traces until graceful shutdown, then what is left. Run it beside the server.
    public func run() async throws {
        guard let exporter else {
            try? await gracefulShutdown()
            return
        }
        await exporter.run()
    }

    /// Sends every span that has ended. For programs that end by themselves.
    public func flush() async {
        await exporter?.flush()
    }

    package func logHandler(label: String) -> JSONLogHandler {
        JSONLogHandler(label: label, service: configuration.service, level: configuration.logLevel, sink: sink)
    }

    /// A logger that needs no bootstrap, for this package's own lines.
    func logger(label: String) -> Logger {
        let handler = logHandler(label: label)
        return Logger(label: label) { _ in handler }
    }
}
