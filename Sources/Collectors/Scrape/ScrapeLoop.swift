import Formats
import Logging
import Settings
import Synchronization
import Telemetry

/// Scrapes one target, again and again, until it is stopped.
final class ScrapeLoop: Sendable {
    let target: ScrapeTarget
    private let client: ScrapeClient
    private let store: any TelemetryStore
    private let time: TimeSource
    private let logger: Logger
    private let state: Mutex<TargetSnapshot>
    /// What is known of the families that the target exposes.
    private let metadata = Mutex<[MetricMetadata]>([])
    private let failureLog: ScrapeFailureLog?
    /// Told of what exceeded a budget, and how many samples that refused.
    private let countBudget: @Sendable (ScrapeBudgetFigures.Key.Scope, Int) -> Void
    /// Ends when the loop is to stop.
    private let stopped: AsyncStream<Never>
    private let stopper: AsyncStream<Never>.Continuation
    /// Milliseconds since the epoch: when ``stop()`` was called.
    private let stopTime = Mutex<Int64?>(nil)

    /// How late a scrape may start and still carry its scheduled timestamp: a hundredth of the interval, at most this.
    /// Regular timestamps are what lets a store encode them in next to nothing.
    private static let latenessMillisecondsMax: Int64 = 20

    init(
        target: ScrapeTarget, pool: String, hostName: String, client: ScrapeClient, store: any TelemetryStore,
        time: TimeSource,
        logger: Logger, countBudget: @escaping @Sendable (ScrapeBudgetFigures.Key.Scope, Int) -> Void = { _, _ in }
    ) {
        self.target = target
        self.countBudget = countBudget
        failureLog = target.options.failureLogFile.map { ScrapeFailureLog(path: $0, job: pool, target: target.url) }
        self.client = client
        self.store = store
        self.time = time
        var logger = logger
        logger[metadataKey: "job"] = .string(pool)
        logger[metadataKey: "target"] = .string(target.url)
        self.logger = logger
        state = Mutex(
            TargetSnapshot(
                scrapePool: pool, scrapeURL: target.url, globalURL: Self.globalURL(target.url, hostName: hostName),
                labels: target.labels,
                discoveredLabels: target.discoveredLabels, interval: target.interval, timeout: target.timeout))
        (stopped, stopper) = AsyncStream.makeStream(of: Never.self)
    }

    var snapshot: TargetSnapshot { state.withLock { $0 } }

    /// What is known of the families that the target exposes, by name.
    var families: [MetricMetadata] { metadata.withLock { $0 } }

    /// Ends the loop; its series get staleness markers.
    func stop() {
        stopTime.withLock { $0 = $0 ?? time.milliseconds }
        stopper.finish()
    }

    /// Returns after ``stop()``, or when its task is cancelled. A cancelled loop writes no markers: the process ends, and its
    /// successor goes on where it stopped.
    func run() async {
        let cache = await withTaskGroup(of: ScrapeCache?.self) { group in
            group.addTask { await self.scrapeForever() }
            group.addTask {
                for await _ in self.stopped {}
                return nil
            }
            var cache: ScrapeCache?
            while let ended = await group.next() {
                cache = ended ?? cache
                group.cancelAll()
            }
            return cache
        }
        guard !Task.isCancelled, let stopTime = stopTime.withLock({ $0 }), var cache else { return }
        var markers = cache.end(at: stopTime)
        let names = ReportSeries.names(extra: target.options.reportsExtraMetrics)
        appendReport(names.map { _ in Staleness.marker }, at: stopTime, to: &markers)
        await append(markers, &cache)
    }

    private func scrapeForever() async -> ScrapeCache {
        var cache = ScrapeCache()
        while !Task.isCancelled {
            let scheduled = Schedule.next(
                after: time.nanoseconds, interval: target.interval, offsetHash: target.offsetHash)
            do {
                try await Task.sleep(for: .nanoseconds(scheduled - time.nanoseconds))
            } catch {
                break
            }
            await scrape(scheduled: scheduled / 1_000_000, cache: &cache)
        }
        return cache
    }

    /// One scrape: fetch, parse, label, append.
    ///
    /// - Parameter scheduled: when it should have started, in milliseconds since the epoch.
    func scrape(scheduled: Int64, cache: inout ScrapeCache) async {
        let now = time.milliseconds
        let lateness = min(Self.latenessMillisecondsMax, target.interval.milliseconds / 100)
        let timestamp = abs(now - scheduled) <= lateness ? scheduled : now
        let start = ContinuousClock.now
        var outcome = ScrapeCache.Outcome()
        var failure: ScrapeError?
        var byteCount = 0
        do throws(ScrapeError) {
            let answer = try await client.get(
                target.url, accept: target.options.formats.acceptHeader, timeout: target.timeout, options: target.options)
            byteCount = answer.body.count
            outcome = try read(answer, at: timestamp, cache: &cache)
        } catch {
            failure = error
        }
        if Task.isCancelled { return }
        let duration = ContinuousClock.now - start
        if let failure {
            outcome.rows = cache.end(at: timestamp)
            (outcome.scraped, outcome.afterRelabelling) = (failure.scraped, failure.kept)
            byteCount = failure.reason == .bodySize ? -1 : byteCount
        }
        var report = [
            failure == nil ? 1 : 0, duration.seconds, Double(outcome.scraped), Double(outcome.afterRelabelling),
            Double(outcome.added),
        ]
        if target.options.reportsExtraMetrics {
            report += [target.timeout.seconds, Double(target.options.limits.sampleCountMax), Double(byteCount)]
        }
        appendReport(report, at: timestamp, to: &outcome.rows)
        if let refusal = await append(outcome.rows, &cache), failure == nil, refusal.code != .rejected {
            failure = ScrapeError("the samples could not be stored: \(refusal)")
        }
        if outcome.warning != nil || failure != nil { count(failure ?? outcome.warning, outcome) }
        if !outcome.rows.batch.metadata.isEmpty {
            let families = cache.families
            metadata.withLock { $0 = families }
        }
        record(failure, outcome, timestamp: timestamp, duration: duration)
    }

    /// An answer without a byte is one without samples, whatever it says it is.
    private func read(
        _ answer: ScrapeClient.Answer, at timestamp: Int64, cache: inout ScrapeCache
    ) throws(ScrapeError) -> ScrapeCache.Outcome {
        let exposition: ExpositionResult
        do {
            let formats = target.options.formats
            let format =
                answer.body.isEmpty ? .prometheusText : try ExpositionFormat(contentType: answer.contentType, fallback: formats.fallback)
            exposition = try Exposition.read(
                answer.body, as: format, options: formats.options(at: timestamp, honorTimestamps: target.options.honorTimestamps))
        } catch {
            throw ScrapeError("\(error)")
        }
        return try cache.process(exposition, of: target, at: timestamp, directory: store.seriesDirectory)
    }

    /// The series that Prometheus adds to every scrape, in the order of ``ReportSeries``.
    private func appendReport(_ values: [Double], at timestamp: Int64, to rows: inout ScrapeRows) {
        for (number, value) in values.enumerated() {
            let series = rows.add(.report(number))
            rows.batch.append(series: series, timestamp: timestamp, value: value)
        }
    }

    @discardableResult
    private func append(_ rows: ScrapeRows, _ cache: inout ScrapeCache) async -> StoreError? {
        do throws(StoreError) {
            do throws(StoreError) {
                try await store.append(telemetry(cache.batch(rows, of: target, store.seriesDirectory)))
            } catch {
                // The store may have forgotten a series just when its handle was looked up: with all labels it has no reason to refuse.
                guard error.code == .overloaded, store.seriesDirectory != nil else { throw error }
                try await store.append(telemetry(cache.batch(rows, of: target, nil)))
            }
            return nil
        } catch {
            logger.warning("Scraped samples could not be stored", metadata: ["error": "\(error)"])
            return error
        }
    }

    private func telemetry(_ metrics: MetricBatch) -> TelemetryBatch {
        var batch = TelemetryBatch()
        batch.metrics = metrics
        return batch
    }

    /// Counts what exceeded a budget.
    private func count(_ error: ScrapeError?, _ outcome: ScrapeCache.Outcome) {
        switch error?.reason {
        case .targetBudget: countBudget(.target, error?.scraped ?? 0)
        case .metricBudget: countBudget(.metric, outcome.refused)
        case .bodySize: countBudget(.body, 0)
        case .other, .sampleLimit, nil: break
        }
    }

    private func record(_ failure: ScrapeError?, _ outcome: ScrapeCache.Outcome, timestamp: Int64, duration: Duration) {
        let text = failure?.description ?? outcome.warning?.description ?? ""
        let (before, textBefore) = state.withLock { state in
            let before = (state.health, state.lastError)
            state.health = failure == nil ? .up : .down
            state.lastError = text
            state.lastScrape = timestamp
            state.lastScrapeDuration = duration
            return before
        }
        if outcome.duplicates > 0 {
            logger.warning(
                "Samples of a series that came twice in one scrape were left out", metadata: ["count": "\(outcome.duplicates)"])
        }
        if outcome.outOfBounds > 0 {
            logger.warning("Samples too far in the future were left out", metadata: ["count": "\(outcome.outOfBounds)"])
        }
        if let failure, let log = failureLog, let refusal = log.write(failure, at: time.nanoseconds) {
            logger.warning("scrape_failure_log_file cannot be written", metadata: ["file": "\(log.path)", "error": "\(refusal)"])
        }
        // Said when it changes: a target that is down for a day is no news every 15 s.
        if let failure, before != .down {
            logger.warning("Scrape failed", metadata: ["error": .string(failure.description)])
        } else if failure == nil, before == .down {
            logger.info("Scrape succeeds again")
        }
        if let warning = outcome.warning, failure == nil, !textBefore.hasPrefix(warning.description.prefix { $0 != ":" }) {
            logger.warning("Part of a scrape was refused", metadata: ["error": .string(warning.description)])
        }
    }

    private static func globalURL(_ url: String, hostName: String) -> String {
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            for scheme in ["http://", "https://"] where url.hasPrefix(scheme + host) {
                let rest = url.dropFirst(scheme.count + host.count)
                if rest.isEmpty || rest.hasPrefix(":") || rest.hasPrefix("/") { return scheme + hostName + rest }
            }
        }
        return url
    }
}
