import Logging
import Metrics
import Synchronization
import Tracing

/// The one call that makes a Swift backend observable.
///
/// ```swift
/// let observed = try Apus.bootstrap(service: "recommendations")
/// let router = Router()
/// router.add(middleware: observed.middleware())      // span, metrics, request id and access log for every request
/// observed.mount(on: router)                         // GET /metrics
/// let app = Application(router: router, services: [observed])
/// try await app.runService()
/// ```
public enum Apus {
    /// Sets up logging, metrics and tracing for this process and makes them those of swift-log, swift-metrics and
    /// swift-distributed-tracing.
    ///
    /// - Parameters:
    ///   - service: the service's name, unless `OTEL_SERVICE_NAME` says another.
    ///   - version: which version of it this is: `service.version` of its traces.
    /// - Returns: what to give to the router, and to run beside the server: it sends the traces.
    /// - Throws: ``ApusError`` if a variable of the environment makes no sense, the log file cannot be opened, or this
    ///   is the second call.
    /// - Important: swift-log, swift-metrics and swift-distributed-tracing may each be bootstrapped once in a process.
    ///   Leave that to this call.
    public static func bootstrap(service: String, version: String? = nil) throws -> ApusService {
        try bootstrap(ApusConfiguration.fromEnvironment(service: service, version: version))
    }

    /// Sets up logging, metrics and tracing as `configuration` says.
    public static func bootstrap(_ configuration: ApusConfiguration) throws -> ApusService {
        guard !isBootstrapped.exchange(true, ordering: .acquiringAndReleasing) else {
            throw ApusError.alreadyBootstrapped
        }
        let service: ApusService
        do {
            service = try ApusService(configuration)
        } catch {
            isBootstrapped.store(false, ordering: .releasing)
            throw error
        }
        LoggingSystem.bootstrap { label in service.logHandler(label: label) }
        MetricsSystem.bootstrap(PrometheusMetricsFactory(registry: service.registry))
        InstrumentationSystem.bootstrap(service.tracer)
        return service
    }

    private static let isBootstrapped = Atomic(false)
}
