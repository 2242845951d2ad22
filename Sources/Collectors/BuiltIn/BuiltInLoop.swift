import Logging
import Settings
import Synchronization
import Telemetry

/// Asks one source again and again until it is stopped, and stores what it measures together with `up` and the `scrape_*` series.
final class BuiltInLoop: Sendable {
    private let source: any BuiltInSource
    private let store: any TelemetryStore
    private let time: TimeSource
    private let logger: Logger
    private let state: Mutex<TargetSnapshot>
    private let stopped: AsyncStream<Never>
    private let stopper: AsyncStream<Never>.Continuation
    /// Milliseconds since the epoch: when ``stop()`` was called.
    private let stopTime = Mutex<Int64?>(nil)

    private static let reportNames = [
        "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling", "scrape_series_added",
    ]

    init(source: any BuiltInSource, store: any TelemetryStore, time: TimeSource, logger: Logger) {
        self.source = source
        self.store = store
        self.time = time
        let target = source.target
        var logger = logger
        logger[metadataKey: "job"] = .string(target.pool)
        logger[metadataKey: "target"] = .string(target.url)
        self.logger = logger
        state = Mutex(
            TargetSnapshot(
                scrapePool: target.pool, scrapeURL: target.url, globalURL: target.url, labels: target.labels,
                discoveredLabels: target.labels, interval: target.interval, timeout: target.timeout))
        (stopped, stopper) = AsyncStream.makeStream(of: Never.self)
    }

    var snapshot: TargetSnapshot { state.withLock { $0 } }

    /// Ends the loop; its series get staleness markers.
    func stop() {
        stopTime.withLock { $0 = $0 ?? time.milliseconds }
        stopper.finish()
    }

    /// Returns after ``stop()``, or when its task is cancelled: then without markers, for the process that follows goes on.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.measureForever() }
            group.addTask {
                for await _ in self.stopped {}
            }
            await group.next()
            group.cancelAll()
        }
        guard !Task.isCancelled, let stopTime = stopTime.withLock({ $0 }) else { return }
        var markers = source.end(at: stopTime)
        report([Double](repeating: Staleness.marker, count: Self.reportNames.count), at: stopTime, to: &markers)
        await append(markers)
    }

    private func measureForever() async {
        let target = source.target
        var hash = FNV1a()
        hash.combine(target.url)
        for label in target.labels.pairs {
            hash.combine(label.name)
            hash.combine(label.value)
        }
        while !Task.isCancelled {
            let scheduled = Schedule.next(after: time.nanoseconds, interval: target.interval, offsetHash: hash.value)
            guard (try? await Task.sleep(for: .nanoseconds(scheduled - time.nanoseconds))) != nil else { return }
            await measure(at: scheduled / 1_000_000)
        }
    }

    /// One measurement, stored under its scheduled time: regular timestamps cost a store next to nothing.
    func measure(at timestamp: Int64) async {
        let start = ContinuousClock.now
        var measurement = await source.measure(at: timestamp)
        if Task.isCancelled { return }
        let duration = ContinuousClock.now - start
        let count = Double(measurement.sampleCount)
        report(
            [measurement.failure == nil ? 1 : 0, duration.seconds, count, count, Double(measurement.addedCount)], at: timestamp,
            to: &measurement.batch)
        if let refusal = await append(measurement.batch), measurement.failure == nil {
            measurement.failure = "the samples could not be stored: \(refusal)"
        }
        record(measurement.failure, timestamp, duration)
    }

    private func report(_ values: [Double], at timestamp: Int64, to batch: inout MetricBatch) {
        for (name, value) in zip(Self.reportNames, values) {
            var labels = source.target.labels
            labels[Labels.metricName] = name
            batch.append(series: batch.addSeries(labels), timestamp: timestamp, value: value)
        }
    }

    @discardableResult
    private func append(_ metrics: MetricBatch) async -> StoreError? {
        var batch = TelemetryBatch()
        batch.metrics = metrics
        do throws(StoreError) {
            try await store.append(batch)
            return nil
        } catch {
            logger.warning("Measured samples could not be stored", metadata: ["error": "\(error)"])
            return error
        }
    }

    private func record(_ failure: String?, _ timestamp: Int64, _ duration: Duration) {
        let before = state.withLock { state in
            let before = state.health
            state.health = failure == nil ? .up : .down
            state.lastError = failure ?? ""
            state.lastScrape = timestamp
            state.lastScrapeDuration = duration
            return before
        }
        // Said when it changes, as for scrapes.
        if let failure, before != .down {
            logger.warning("Measuring failed", metadata: ["error": .string(failure)])
        } else if failure == nil, before == .down {
            logger.info("Measuring succeeds again")
        }
    }
}
