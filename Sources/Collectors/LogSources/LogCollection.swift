package import Logging
package import ServiceLifecycle
package import Telemetry

/// Everything that a `promtail.yaml` asks for: files that are tailed, other sources, and the servers that lines are sent to.
package final class LogCollection: Sendable {
    /// Where it runs.
    package struct Place: Sendable {
        /// Keeps the lines; nil: only the servers in `clients` do.
        package var store: (any TelemetryStore)?
        /// Whether lines that are stored are sent to `clients` too.
        package var sendsToClients = true
        /// Keeps positions.
        package var positions: any StateStore
        /// The folder of spools.
        package var spoolFolder: String
        /// Bytes of one server's spool.
        package var spoolByteCountMax = 1 << 30
        /// What discoveries ask with.
        package var transport: HTTPTransport
        /// Makes what sends requests to a server.
        package var post: @Sendable (PromtailClient) throws -> SpoolSender.Post

        package init(
            store: (any TelemetryStore)?, positions: any StateStore, spoolFolder: String, transport: HTTPTransport,
            post: @escaping @Sendable (PromtailClient) throws -> SpoolSender.Post
        ) {
            self.store = store
            self.positions = positions
            self.spoolFolder = spoolFolder
            self.transport = transport
            self.post = post
        }
    }

    package let metrics = SourceMetrics()
    package let stageMetrics: StageMetrics
    private let place: Place
    private let delivery: any LogDelivery
    private let senders: [SpoolSender]
    private let tailer: LogTailer
    private let targets: JobTargets
    private let sources: SourceService
    private let time: TimeSource
    private let logger: Logger

    /// - Throws: ``StoreError`` where a spool cannot be used, ``EncodingError``, or what `place.post` throws.
    package init(
        _ configuration: PromtailConfiguration, place: Place, stageMetrics: StageMetrics = StageMetrics(), time: TimeSource = .system,
        logger: Logger
    ) throws {
        self.place = place
        self.stageMetrics = stageMetrics
        self.time = time
        self.logger = logger
        let store = place.store.map { StoreDelivery(store: $0) }
        if let store, configuration.clients.isEmpty || !place.sendsToClients {
            (delivery, senders) = (store, [])
        } else {
            guard !configuration.clients.isEmpty else {
                throw SourceError("\(configuration.file): there are no clients: name the Loki that lines are sent to")
            }
            let committed = try SpoolDelivery.committed(place.positions)
            var spools: [(name: String, spool: Spool)] = []
            var senders: [SpoolSender] = []
            for client in configuration.clients {
                let options = SpoolSender.Options(client)
                let spool = try Spool(
                    folder: place.spoolFolder + "/" + Self.folderName(client), byteCountMax: place.spoolByteCountMax, committed: committed)
                spools.append((options.host, spool))
                senders.append(SpoolSender(options: options, spool: spool, metrics: metrics, logger: logger, post: try place.post(client)))
            }
            self.senders = senders
            delivery = SpoolDelivery(
                spools: spools, committed: committed, store: store, positions: place.positions, metrics: metrics)
        }
        tailer = LogTailer(jobs: [], delivery: delivery, positions: place.positions, metrics: metrics, time: time, logger: logger)
        targets = JobTargets(
            tailer: tailer, context: DiscoveryContext(transport: place.transport, logger: logger), logger: logger)
        sources = SourceService(metrics: metrics, logger: logger)
        PromtailPositionFile.takeOver(configuration, into: place.positions, logger: logger)
        try apply(configuration)
    }

    package var services: [any Service] { senders + [tailer, targets, sources] }

    /// How the discoveries of targets do.
    package func discoveries() -> [DiscoveryManager.Status] { targets.statuses() }

    /// The files followed now.
    package func files() -> [TailedFileSnapshot] { tailer.files() }

    /// Takes a new configuration; `clients` keep the old one until a restart. Files and sources that have not changed go on.
    ///
    /// - Throws: ``EncodingError``; then nothing has changed.
    package func apply(_ configuration: PromtailConfiguration) throws(EncodingError) {
        var wantedLimits = configuration.limits
        // What a client would have sent with its labels is stored with them.
        if place.store != nil, let client = configuration.clients.first { wantedLimits.externalLabels = client.externalLabels }
        let limits = RecordLimits(wantedLimits)
        var jobs: [JobTargets.Job] = []
        var wanted: [String: any LogSource] = [:]
        for job in configuration.jobs {
            let environment = StageEnvironment(job: job.name, metrics: stageMetrics, limits: limits, time: time, logger: logger)
            let context = SourceContext(
                job: job, delivery: delivery, positions: place.positions, metrics: metrics, environment: environment, time: time,
                logger: logger)
            jobs.append(JobTargets.Job(job: job, environment: environment))
            wanted.merge(SourceTable.sources(of: job, context)) { first, _ in first }
        }
        try targets.apply(jobs)
        sources.apply(wanted)
    }

    /// A client's folder: its name, or its URL without what a path cannot hold.
    private static func folderName(_ client: PromtailClient) -> String {
        let text = client.name.isEmpty ? client.url : client.name
        var hash = FNV1a()
        for byte in (client.url + client.tenant).utf8 { hash.combine(byte) }
        let plain = String(text.unicodeScalars.map { $0.isASCII && $0.properties.isAlphabetic || $0.properties.numericType != nil ? Character($0) : "-" })
        return "\(plain.prefix(60))-\(String(hash.value, radix: 16))"
    }
}

extension SpoolSender.Options {
    /// Of an entry of `clients`.
    package init(_ client: PromtailClient) {
        self.init()
        let rest = client.url.split(separator: "://", maxSplits: 1).last ?? ""
        host = String(rest.prefix { $0 != "/" && $0 != "?" }.split(separator: "@").last ?? "")
        tenant = client.tenant
        headers = client.headers.map { ($0.name, $0.value) }
        externalLabels = client.externalLabels
        batchWait = client.batchWait
        batchByteCountMax = max(1, client.batchByteCountMax)
        backoffMin = client.backoffMin
        backoffMax = client.backoffMax
        dropsRateLimitedBatches = client.dropsRateLimitedBatches
    }
}
