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
        logger: Logger
    ) {
        self.target = target
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
        appendReport(
            [Staleness.marker, Staleness.marker, Staleness.marker, Staleness.marker, Staleness.marker], at: stopTime,
            to: &markers)
        await append(markers)
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
        do throws(ScrapeError) {
            let answer = try await client.get(
                target.url, accept: ScrapeClient.acceptHeader, timeout: target.timeout, options: target.options)
            outcome = try read(answer, at: timestamp, cache: &cache)
        } catch {
            failure = error
        }
        if Task.isCancelled { return }
        let duration = ContinuousClock.now - start
        if failure != nil { outcome.batch = cache.end(at: timestamp) }
        let report = [
            failure == nil ? 1 : 0, duration.seconds, Double(outcome.scraped), Double(outcome.afterRelabelling),
            Double(outcome.added),
        ]
        appendReport(report, at: timestamp, to: &outcome.batch)
        if let refusal = await append(outcome.batch), failure == nil {
            failure = ScrapeError("the samples could not be stored: \(refusal)")
            if refusal.code == .rejected {
                // One row that the store never takes must not hide that the target was reached.
                var markers = cache.end(at: timestamp)
                appendReport([0, duration.seconds, report[2], report[3], 0], at: timestamp, to: &markers)
                await append(markers)
            }
        }
        record(failure, timestamp: timestamp, duration: duration, duplicates: outcome.duplicates)
    }

    private func read(
        _ answer: ScrapeClient.Answer, at timestamp: Int64, cache: inout ScrapeCache
    ) throws(ScrapeError) -> ScrapeCache.Outcome {
        let exposition: ExpositionResult
        do {
            exposition = try Exposition.parse(
                answer.body.span, contentType: answer.contentType, defaultTimestamp: timestamp,
                honorTimestamps: target.options.honorTimestamps)
        } catch {
            throw ScrapeError("\(error)")
        }
        return try cache.process(exposition, of: target, at: timestamp)
    }

    /// The series that Prometheus adds to every scrape, in the order of ``reportNames``.
    private func appendReport(_ values: [Double], at timestamp: Int64, to batch: inout MetricBatch) {
        for (name, value) in zip(Self.reportNames, values) {
            let series = batch.addSeries(target.reportLabels(name))
            batch.append(series: series, timestamp: timestamp, value: value)
        }
    }

    private static let reportNames = [
        "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling",
        "scrape_series_added",
    ]

    @discardableResult
    private func append(_ metrics: MetricBatch) async -> StoreError? {
        var batch = TelemetryBatch()
        batch.metrics = metrics
        do throws(StoreError) {
            try await store.append(batch)
            return nil
        } catch {
            logger.warning("Scraped samples could not be stored", metadata: ["error": "\(error)"])
            return error
        }
    }

    private func record(_ failure: ScrapeError?, timestamp: Int64, duration: Duration, duplicates: Int) {
        let before = state.withLock { state in
            let before = state.health
            state.health = failure == nil ? .up : .down
            state.lastError = failure?.description ?? ""
            state.lastScrape = timestamp
            state.lastScrapeDuration = duration
            return before
        }
        if duplicates > 0 {
            logger.warning(
                "Samples of a series that came twice in one scrape were left out", metadata: ["count": "\(duplicates)"])
        }
        // Said when it changes: a target that is down for a day is no news every 15 s.
        if let failure, before != .down {
            logger.warning("Scrape failed", metadata: ["error": .string(failure.description)])
        } else if failure == nil, before == .down {
            logger.info("Scrape succeeds again")
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

/// Spreads recurring work over its interval.
package enum Schedule {
    /// The next instant after `now` at which work with this hash is due: the interval's multiples since the epoch, shifted by
    /// the hash. The same in every process, so that a restart does not move it.
    ///
    /// - Parameter now: nanoseconds since the epoch, like the result.
    package static func next(after now: Int64, interval: Duration, offsetHash: UInt64) -> Int64 {
        // Whole milliseconds, so that timestamps in milliseconds are evenly spaced.
        let step = max(1, interval.milliseconds) * 1_000_000
        let offset = Int64(offsetHash % UInt64(step / 1_000_000)) * 1_000_000
        let since = now - offset
        let remainder = since % step
        return now - (remainder >= 0 ? remainder : remainder + step) + step
    }
}
