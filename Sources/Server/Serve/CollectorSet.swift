import Alerting
import Collectors
import Logging
import PromQL
import ServiceLifecycle
import Settings
import Synchronization
import Telemetry

/// What Apus does by itself: scraping, tailing, pulling profiles, evaluating rules and telling of alerts.
struct CollectorSet: Sendable {
    let scrapes: ScrapeManager
    let rules: RuleManager
    let promql: PromQLEngine
    let builtIn: BuiltInCollectors
    private let tailer: LogTailer
    /// What collection of logs counts.
    let sourceMetrics: SourceMetrics
    /// What a `promtail.yaml` asks for; nil where none is named.
    let promtail: LogCollection?
    /// nil where no targets are configured: a service without work would end, and the group with it.
    private let profiles: ProfilePuller?

    /// nil where no webhook is configured.
    private let notifier: WebhookNotifier?
    private let externalURL: String
    private let prometheus: Shared<String>
    private let external: Shared<Labels>
    private let queryLog: QueryLogFile
    private let logger: Logger

    init(
        settings: ServerSettings, features: PromQLFeatures, backend: ApusServer.Backend, redactor: Redactor, externalURL: String, time: TimeSource, logger: Logger
    ) throws(ServeError) {
        self.logger = logger
        self.externalURL = externalURL
        let store = backend.store
        sourceMetrics = SourceMetrics()
        scrapes = ScrapeManager(configuration: settings.prometheus, store: store, time: time, logger: logger)
        builtIn = BuiltInCollectors(configuration: settings.builtIn, store: store, time: time, logger: logger)
        tailer = LogTailer(
            jobs: settings.logs.map { TailJob($0) }, delivery: StoreDelivery(store: RedactingStore(store, redactor: redactor)),
            positions: backend.state, metrics: sourceMetrics, time: time, logger: logger)
        promtail = try Self.collection(settings, backend, redactor, time, logger)
        profiles =
            settings.profiles.isEmpty
            ? nil : ProfilePuller(configuration: settings.profiles, store: store, time: time, logger: logger)
        var options = PromQLOptions()
        options.features = features
        options.subqueryStep = settings.prometheus.global.evaluationInterval.milliseconds
        let queryLog = QueryLogFile(path: settings.prometheus.global.queryLogFile, time: time, logger: logger)
        options.didEvaluate = { queryLog.write($0) }
        self.queryLog = queryLog
        promql = PromQLEngine(store: store, options: options)
        notifier = settings.webhook.map { webhook in
            WebhookNotifier(
                configuration: WebhookConfiguration(url: webhook.url, sendResolved: webhook.sendsResolved), externalURL: externalURL,
                externalLabels: settings.prometheus.global.externalLabels, time: time, logger: logger)
        }
        rules = RuleManager(
            files: settings.ruleFiles, engine: promql, store: store, notifier: notifier,
            options: Self.ruleOptions(settings, externalURL), time: time, logger: logger)
        prometheus = Shared(settings.prometheus.text)
        external = Shared(settings.prometheus.global.externalLabels)
        Self.warn(settings, logger)
        try applyRules(settings)
    }

    var services: [any Service] {
        var services: [any Service] = [scrapes, builtIn, tailer]
        if let promtail { services += promtail.services }
        if let profiles { services.append(profiles) }
        if let notifier { services.append(notifier) }
        services.append(rules)
        return services
    }

    /// The labels that this server puts on what leaves it.
    var externalLabels: Labels { external.value }

    /// The text of `prometheus.yml` as it was last read.
    var prometheusText: String { prometheus.value }

    /// Takes a new configuration; profile targets and the webhook keep the old one until a restart.
    ///
    /// - Throws: ``ServeError`` where rule files are wrong; then nothing has changed.
    func apply(_ settings: ServerSettings) throws(ServeError) {
        try applyRules(settings)
        try applyPromtail(settings)
        scrapes.apply(settings.prometheus)
        builtIn.apply(settings.builtIn)
        tailer.apply(settings.logs.map { TailJob($0) })
        prometheus.value = settings.prometheus.text
        external.value = settings.prometheus.global.externalLabels
        queryLog.setPath(settings.prometheus.global.queryLogFile)
        Self.warn(settings, logger)
    }

    /// Reads the rule files again.
    func reloadRules(_ settings: ServerSettings) throws(ServeError) { try applyRules(settings) }

    private func applyRules(_ settings: ServerSettings) throws(ServeError) {
        do {
            try rules.apply(files: settings.ruleFiles, options: Self.ruleOptions(settings, externalURL))
        } catch {
            throw ServeError(.configuration, error.description)
        }
    }

    private static func ruleOptions(_ settings: ServerSettings, _ externalURL: String) -> RuleManagerOptions {
        let global = settings.prometheus.global
        var options = RuleManagerOptions()
        options.evaluationInterval = global.evaluationInterval
        options.queryOffset = global.ruleQueryOffset
        options.externalLabels = global.externalLabels
        options.externalURL = externalURL
        return options
    }

    private static func warn(_ settings: ServerSettings, _ logger: Logger) {
        let promtail = settings.logCollection.promtail?.warnings ?? []
        for warning in settings.prometheus.warnings + settings.builtIn.probes.warnings + promtail { logger.warning("\(warning.description)") }
    }
}

/// A value that several tasks read and a reload replaces.
final class Shared<Value: Sendable>: Sendable {
    private let held: Mutex<Value>

    init(_ value: Value) {
        held = Mutex(value)
    }

    var value: Value {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }
}
