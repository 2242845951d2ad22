package import Logging
package import ServiceLifecycle
package import Telemetry
import Alerting
import Collectors
import FlameQL
import Formats
import PromQL
import Query
import Settings
import TraceQL

/// Everything that one process runs, put together: listeners, APIs, engines and collectors over one store.
///
/// It knows no particular store, so tests run it on one in memory.
package struct ApusServer: Sendable {
    /// What stands below: the store and what only it can do.
    package struct Backend: Sendable {
        package var store: any TelemetryStore
        package var state: any StateStore
        /// The store's background work: returns once it is cancelled.
        package var run: @Sendable () async throws -> Void
        package var compact: @Sendable () async throws -> Void
        /// Takes over what a reload may change of the store: what it keeps.
        package var apply: @Sendable (ServerSettings) -> Void
        /// Snapshots and the like; nil where the store has none.
        package var administration: (any StoreAdministration)?
        /// What is sent on to others; nil where nothing can be.
        package var queue: (any RecordQueue)?

        /// Where lines wait for the clients of `promtail.yaml`.
        package var spoolFolder = "./spool"

        package init(
            store: any TelemetryStore, state: any StateStore, run: @escaping @Sendable () async throws -> Void,
            compact: @escaping @Sendable () async throws -> Void, apply: @escaping @Sendable (ServerSettings) -> Void = { _ in },
            administration: (any StoreAdministration)? = nil, queue: (any RecordQueue)? = nil
        ) {
            self.store = store
            self.state = state
            self.run = run
            self.compact = compact
            self.apply = apply
            self.administration = administration
            self.queue = queue
        }
    }

    private let options: ServeOptions
    private let settings: ServerSettings
    private let backend: Backend
    private let time: TimeSource
    private let logger: Logger
    private let live: LiveSettings
    private let metrics = ServerMetrics()
    private let watch = ConnectionWatch()
    private let budget = BodyBudget()
    private let readiness: Readiness
    private let startedAt: Int64
    private let deltas = DeltaAccumulator()
    private let liveLogs = LiveLogs()
    private let collectors: CollectorSet
    private let remoteWrite: RemoteWriteManager?
    /// The `otlp` section of `prometheus.yml`.
    private let otlp: Shared<OTLPMetricOptions>
    private let redactor: Redactor
    private let externalURL: String

    /// - Parameter whenReady: told the ports of the listeners `http`, `otlp-http` and `otlp-grpc` once all are open.
    /// - Throws: ``ServeError`` where the settings must not be served, or name files that cannot be used.
    package init(
        options: ServeOptions, settings: ServerSettings, backend: Backend, time: TimeSource = .system, logger: Logger,
        whenReady: @escaping @Sendable ([String: Int]) -> Void = { _ in }
    ) throws(ServeError) {
        self.options = options
        self.settings = settings
        var (backend, remoteWrite) = backend.forwarding(settings, time: time, logger: logger)
        backend.store = TappedStore(base: backend.store, live: liveLogs)
        self.backend = backend
        self.remoteWrite = remoteWrite
        otlp = Shared(options.otlp(settings))
        self.time = time
        self.logger = logger
        startedAt = time.nanoseconds
        readiness = Readiness(expecting: ["http", "otlp-http", "otlp-grpc"], whenReady: whenReady)
        let addresses = ListenAddresses(options, settings)
        try Self.checkExposure(addresses, settings, isInsecure: options.isInsecure)
        live = LiveSettings(Self.liveValues(settings, addresses, isInsecure: options.isInsecure))
        let externalURL = settings.externalURL ?? "http://\(addresses.http)"
        self.externalURL = externalURL
        redactor = Redactor(settings.logCollection.redaction)
        collectors = try CollectorSet(
            settings: settings, features: options.features, backend: backend, redactor: redactor, externalURL: externalURL, time: time, logger: logger)
    }

    /// The services to be run in one group, in the order in which they start; they stop in the opposite one, the store last.
    package var services: [any Service] {
        let addresses = ListenAddresses(options, settings)
        let routes = self.routes
        let web = RouteTable(routes.all)
        let otlp = RouteTable(routes.otlp)
        let store = BackgroundService(name: "store", body: backend.run)
        let listeners: [any Service] = [
            GRPCListener(
                address: addresses.grpc, receiver: otlpReceiver, settings: live, time: time, logger: logger,
                didOpen: { [readiness] in readiness.didOpen("otlp-grpc", port: $0) }),
            HTTPListener(
                address: addresses.otlp, gateway: gateway(otlp), logger: logger,
                didOpen: { [readiness] in readiness.didOpen("otlp-http", port: $0) }),
            HTTPListener(
                address: addresses.http, gateway: gateway(web), logger: logger, didOpen: { [readiness] in readiness.didOpen("http", port: $0) }),
        ]
        let forwarding: [any Service] = remoteWrite.map { [$0] } ?? []
        return [store] + forwarding + collectors.services + listeners
    }

    /// Reads the configuration anew and applies what can change without a restart.
    ///
    /// - Throws: ``ServeError``; then the configuration before stays.
    package func reload() async throws(ServeError) {
        do throws(ServeError) {
            let new = try options.settings()
            let addresses = ListenAddresses(options, new)
            try Self.checkExposure(addresses, new, isInsecure: options.isInsecure)
            try collectors.apply(new)
            redactor.apply(new.logCollection.redaction)
            backend.apply(new)
            remoteWrite?.apply(new.prometheus)
            otlp.value = options.otlp(new)
            live.replace(Self.liveValues(new, addresses, isInsecure: options.isInsecure))
            metrics.reloaded(isSuccessful: true, at: time.nanoseconds)
            logger.info("configuration reloaded")
        } catch {
            metrics.reloaded(isSuccessful: false, at: time.nanoseconds)
            logger.error("configuration not reloaded", metadata: ["error": "\(error.description)"])
            throw error
        }
    }

    private var ingest: Ingest {
        Ingest(store: backend.store, metrics: metrics, redactor: redactor) { [live, time] in
            LogAdmission.range(at: time.nanoseconds, retention: live.current.logRetention)
        }
    }

    private var otlpReceiver: OTLPReceiver { OTLPReceiver(ingest: ingest, deltas: deltas, options: { [otlp] in otlp.value }) }

    private func gateway(_ routes: RouteTable) -> Gateway {
        Gateway(routes: routes, settings: live, metrics: metrics, watch: watch, budget: budget, time: time)
    }

    private var routes: (all: [Route], otlp: [Route]) {
        let store = backend.store
        let selfMetrics = SelfMetrics(
            metrics: metrics, watch: watch, store: store, scrapePools: { [collectors] in collectors.scrapes.targets() },
            scrapeFigures: { [collectors] in collectors.scrapes.budgetFigures }, startedAt: Double(startedAt) * 1e-9,
            discoveries: { [collectors] in collectors.scrapes.discoveries() }, remoteWrite: remoteWrite,
            sources: collectors.promtail == nil ? [] : collectors.allSourceMetrics, stages: collectors.promtail?.stageMetrics, redactor: redactor)
        let admin = AdminRoutes(
            selfMetrics: selfMetrics, isReady: { [readiness] in readiness.isReady }, reload: { try await reload() },
            compact: backend.compact, mayQuit: options.isAdminAPIEnabled || settings.isAdminAPIEnabled)
        let otlp = OTLPRoutes(receiver: otlpReceiver).routes
        var all = otlp + admin.routes
        all += RemoteWriteRoutes(ingest: ingest).routes + LogIngestRoutes(ingest: ingest).routes
        all += JaegerRoutes(ingest: ingest).routes + ZipkinRoutes(ingest: ingest).routes
        all += queryRoutes(store)
        all += PrometheusServerRoutes(
            store: store, scrapeConfiguration: { [collectors] in collectors.scrapes.yaml(of: $0) }, alertmanagers: { [externalURL] in ["\(externalURL)/api/v2/alerts"] },
            featureNames: options.featureNames, isAdminAPIEnabled: options.isAdminAPIEnabled || settings.isAdminAPIEnabled, selfMetrics: selfMetrics
        ).routes
        all += SearchRoutes(store: store, time: time).routes
        let isAdminEnabled = options.isAdminAPIEnabled || settings.isAdminAPIEnabled
        all += PrometheusAdminRoutes(store: store, administration: backend.administration, isEnabled: isAdminEnabled).routes
        if let administration = backend.administration { all += SnapshotRoutes(administration: administration).routes }
        all += SessionRoutes(settings: live, time: time).routes
        all += StatusRoutes(store: store, time: time, startedAt: startedAt).routes
        let folder = (options.webFolder ?? settings.webFolder).map { WebFolder(path: $0) } ?? WebFolder.standard(environment: options.environment)
        if folder == nil { logger.warning("the web app's files were not found: name their folder with --web-dir") }
        all += WebRoutes(folder: folder).routes
        return (all, otlp + admin.routes.filter { $0.scope == nil })
    }

    private func queryRoutes(_ store: any TelemetryStore) -> [Route] {
        var limits = QueryContext.Limits()
        limits.timeout = settings.limits.queryTimeout
        limits.sampleCountMax = settings.limits.querySampleCountMax
        limits.byteCountMax = settings.limits.queryByteCountMax
        let runner = QueryRunner(metrics: metrics, limits: limits, gate: QueryGate())
        let collectors = collectors
        let externalURL = externalURL
        let flags = [
            ("query.timeout", "\(Int(settings.limits.queryTimeout.seconds))s"), ("query.max-samples", String(limits.sampleCountMax)),
            ("query.lookback-delta", "5m"), ("web.enable-remote-write-receiver", "true"), ("web.enable-otlp-receiver", "true"),
            ("enable-feature", options.featureNames.joined(separator: ",")),
            ("storage.tsdb.retention.time", DurationText.format(settings.retention.metrics)),
            ("web.enable-lifecycle", "true"), ("web.external-url", externalURL),
            ("web.enable-admin-api", "\(options.isAdminAPIEnabled || settings.isAdminAPIEnabled)"),
        ]
        var routes = PrometheusQueryRoutes(engine: collectors.promql, runner: runner, time: time).routes
        routes += PrometheusMetadataRoutes(store: store).routes
        routes += PrometheusTargetRoutes(
            pools: { collectors.scrapes.targets() + collectors.builtIn.targets() }, families: { collectors.scrapes.metadata() }
        ).routes
        routes += ProbeRoutes(modules: { collectors.builtIn.modules }).routes
        routes += RelabelStepRoutes(rules: { collectors.scrapes.relabelRules(of: $0) }).routes
        let reader = SeriesReader(store: store)
        routes += RemoteReadRoutes(reader: reader, runner: runner).routes
        routes += FederationRoutes(
            reader: reader, runner: runner, time: time, lookback: collectors.promql.options.lookback,
            externalLabels: { collectors.externalLabels }
        ).routes
        routes += PrometheusRuleRoutes(groups: { collectors.rules.groups() }).routes
        routes += LokiRuleRoutes(
            groups: { collectors.rules.groups() }, folder: settings.logRulesFolder.map { RuleFolder(path: $0) },
            reload: { [settings] in try collectors.reloadRules(settings) }
        ).routes
        routes += AlertmanagerRoutes(
            alerts: { collectors.rules.alerts() }, receiver: settings.webhook == nil ? nil : "webhook", externalURL: externalURL,
            startedAt: startedAt
        ).routes
        routes += PrometheusStatusRoutes(
            store: store, time: time, startedAt: startedAt,
            lastReload: { [metrics, startedAt] in metrics.lastReload ?? (true, startedAt) },
            retention: settings.retention.metrics, configuration: { collectors.prometheusText }, flags: flags
        ).routes
        routes += LokiAPI(
            store: store, state: backend.state, runner: runner, live: liveLogs, settings: settings,
            isAdminEnabled: options.isAdminAPIEnabled || settings.isAdminAPIEnabled, time: time
        ).routes
        let traceql = TraceQLEngine(store: store)
        routes += TempoRoutes(engine: traceql, runner: runner, time: time).routes
        routes += TempoTagRoutes(engine: traceql, runner: runner, time: time).routes
        routes += TempoMetricsRoutes(engine: traceql, runner: runner, time: time).routes
        let flameql = FlameQLEngine(store: store)
        routes += ProfileRoutes(engine: flameql, runner: runner, time: time).routes
        routes += PyroscopeRenderRoutes(engine: flameql, runner: runner, time: time).routes
        routes += PyroscopeQuerierRoutes(store: store, engine: flameql, runner: runner, time: time).routes
        routes += ServiceRoutes(store: store, runner: runner, time: time).routes
        return routes
    }

    private static func liveValues(_ settings: ServerSettings, _ addresses: ListenAddresses, isInsecure: Bool) -> LiveSettings.Values {
        // Where everybody may ask, only loopback names are answered, lest a web site's name points here.
        let isGuarded = settings.tokens.isEmpty && !isInsecure
        let hosts = isGuarded ? settings.hosts + [addresses.http.host] : nil
        return LiveSettings.Values(
            access: Access(tokens: settings.tokens, hosts: hosts), bodyByteCountMax: settings.limits.bodyByteCountMax,
            logRetention: settings.retention.logs)
    }

    /// Refuses to stand open to others by accident.
    private static func checkExposure(_ addresses: ListenAddresses, _ settings: ServerSettings, isInsecure: Bool) throws(ServeError) {
        guard settings.tokens.isEmpty, !isInsecure else { return }
        for address in [addresses.http, addresses.grpc, addresses.otlp] where !address.isLoopback {
            throw ServeError(
                .unprotected,
                "\(address) can be reached from other machines and no tokens are configured: add tokens to apus.yaml (or set APUS_TOKEN), "
                    + "or say --insecure if everybody who reaches it may read and write everything")
        }
    }
}

/// The three addresses: the command line's, the file's or the standard ones.
struct ListenAddresses {
    var http: ListenAddress
    var grpc: ListenAddress
    var otlp: ListenAddress

    init(_ options: ServeOptions, _ settings: ServerSettings) {
        http = options.listen ?? settings.listen ?? ServeOptions.standardListen
        grpc = options.grpcListen ?? settings.grpcListen ?? ServeOptions.standardGRPCListen
        otlp = options.otlpListen ?? settings.otlpListen ?? ServeOptions.standardOTLPListen
    }
}
