import Alerting
import Collectors
import Logging
import PromQL
import ServiceLifecycle
import Settings
import Synchronization
import Telemetry

/// What Apus does by itself: scraping, tailing, pulling profiles, evaluating rules.
struct CollectorSet: Sendable {
    let scrapes: ScrapeManager
    let tailer: LogTailer
    let profiles: ProfilePuller
    let promql: PromQLEngine
    private let text: SharedText
    private let logger: Logger

    init(
        settings: ServerSettings, backend: ApusServer.Backend, addresses: ListenAddresses, time: TimeSource, logger: Logger
    ) throws(ServeError) {
        self.logger = logger
        scrapes = ScrapeManager(configuration: settings.prometheus, store: backend.store, logger: logger)
        tailer = LogTailer(configuration: settings.logs, store: backend.store, state: backend.state, logger: logger)
        profiles = ProfilePuller(configuration: settings.profiles, store: backend.store, logger: logger)
        var options = PromQLOptions()
        options.subqueryStep = settings.prometheus.global.evaluationInterval.milliseconds
        promql = PromQLEngine(store: backend.store, options: options)
        text = SharedText(settings.prometheus.text)
        Self.warn(settings, logger)
    }

    var services: [any Service] { [scrapes, tailer, profiles] }

    /// The text of `prometheus.yml` as it was last read.
    var prometheusText: String { text.value }

    func apply(_ settings: ServerSettings) throws(ServeError) {
        scrapes.apply(settings.prometheus)
        tailer.apply(settings.logs)
        text.value = settings.prometheus.text
        Self.warn(settings, logger)
    }

    private static func warn(_ settings: ServerSettings, _ logger: Logger) {
        for warning in settings.prometheus.warnings { logger.warning("\(warning.description)") }
    }
}

/// A text that several tasks read and a reload replaces.
final class SharedText: Sendable {
    private let text: Mutex<String>

    init(_ text: String) {
        self.text = Mutex(text)
    }

    var value: String {
        get { text.withLock { $0 } }
        set { text.withLock { $0 = newValue } }
    }
}
