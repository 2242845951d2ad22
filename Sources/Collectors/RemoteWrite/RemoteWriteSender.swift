import Codecs
import Formats
import Logging
import Settings
import Synchronization
import Telemetry

/// Sends what a queue holds to one remote: in windows, each spread over shards by series and sent shard by shard in parallel. The position
/// moves on, durably, once a window is through; so that after a crash a window may be sent twice, but none is left out.
///
/// Series stay in order: within a window one is on one shard, and windows follow each other.
struct RemoteWriteSender: Sendable {
    /// Where positions are kept.
    static let namespace = "remote_write"
    /// Bytes of records that make a window: some tens of thousands of samples.
    private static let windowByteCount = 2 << 20
    /// A window holds about so many batches a shard: the shards wait for the slowest at its end.
    private static let batchCountPerShard: UInt64 = 4
    /// How often a batch that is still too small is looked at again.
    private static let pollInterval = Duration.milliseconds(100)
    private static let recordByteCountMax = 512 << 20
    /// Requests that looking for the rows which a receiver refuses may take.
    private static let splitCountMax = 64

    let configuration: RemoteWriteConfiguration
    let queue: any RecordQueue
    let state: any StateStore
    let table: RemoteSeriesTable
    let client: RemoteWriteClient
    let families: RemoteFamilies
    let statistics: RemoteWriteStatistics
    let time: TimeSource
    let logger: Logger
    /// Hears of each new position.
    let didReach: @Sendable (QueuePosition) -> Void

    /// Sends until the task is cancelled.
    func run(from start: QueuePosition) async {
        var position = start
        var changes = queue.changes().makeAsyncIterator()
        while !Task.isCancelled {
            if position >= queue.newest {
                guard await changes.next() != nil else { return }
                continue
            }
            await waitForMore(than: position)
            do {
                guard let end = try await sendWindow(from: position) else {
                    try await Task.sleep(for: Self.pollInterval)
                    continue
                }
                position = end
                try state.set([configuration.name: Array(end.description.utf8)], in: Self.namespace)
                didReach(end)
            } catch is CancellationError {
                return
            } catch {
                logger.error("the queue of remote write cannot be read or its position not kept; trying again", metadata: ["error": "\(error)"])
                guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
            }
        }
    }

    /// Waits until a batch is full or `batch_send_deadline` over.
    private func waitForMore(than position: QueuePosition) async {
        let deadline = ContinuousClock.now + configuration.queue.batchSendDeadline
        while queue.newest.rowCount &- position.rowCount < UInt64(configuration.queue.sampleCountPerSendMax), ContinuousClock.now < deadline {
            guard (try? await Task.sleep(for: min(Self.pollInterval, deadline - ContinuousClock.now))) != nil else { return }
        }
    }

    // MARK: Windows

    /// - Returns: where the window ends; nil where there was nothing to read.
    @concurrent
    private func sendWindow(from position: QueuePosition) async throws -> QueuePosition? {
        let run = try queue.read(from: position, byteCountMax: Self.windowByteCount)
        if run.lostRowCount > 0 {
            statistics.update { $0.lostRowCount &+= run.lostRowCount }
            logger.error(
                "rows were dropped from the queue of remote write before they were sent",
                metadata: ["remote": "\(configuration.name)", "rows": "\(run.lostRowCount)"])
        }
        if run.records.isEmpty { return run.end > position ? run.end : nil }
        let window = try fill(run)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for batches in window.shards where !batches.isEmpty {
                group.addTask {
                    for batch in batches { try await self.deliver(batch) }
                }
            }
            try await group.waitForAll()
        }
        return run.end
    }

    /// Decodes the records of a run and spreads their rows.
    private func fill(_ run: QueueRun) throws -> RemoteWindow {
        let options = configuration.queue
        let rowCount = run.records.reduce(UInt64(0)) { $0 &+ UInt64($1.rowCount) }
        let desired = Int(clamping: rowCount / (UInt64(options.sampleCountPerSendMax) * Self.batchCountPerShard) + 1)
        let shardCount = min(max(desired, options.shardCountMin), options.shardCountMax)
        var window = RemoteWindow(shardCount: shardCount, rowCountMax: options.sampleCountPerSendMax)
        let oldest = oldestTimestamp
        table.trim()
        var old = RowCounts()
        for record in run.records {
            do {
                let bytes = try Compression.zstd.decompress(record.bytes.span, byteCountMax: Self.recordByteCountMax)
                let batch = try RemoteWrite2.decode(bytes.span, directory: table).batch
                let series = table.series(of: batch)
                old += window.add(
                    batch, series, sendsExemplars: configuration.sendsExemplars, sendsHistograms: configuration.sendsNativeHistograms, oldest: oldest)
            } catch {
                statistics.update { $0.lostRowCount &+= UInt64(record.rowCount) }
                logger.error("a record of the queue of remote write is damaged and left out", metadata: ["error": "\(error)"])
            }
        }
        window.finish()
        let filled = window
        let tooOld = old
        statistics.update { figures in
            figures.shardCount = shardCount
            figures.shardCountDesired = desired
            figures.droppedByRelabelling += filled.dropped
            figures.droppedByAge += tooOld
            figures.highestTimestamp = max(figures.highestTimestamp, filled.highestTimestamp)
        }
        return window
    }

    /// Rows before it are too old to be sent.
    private var oldestTimestamp: Int64 {
        let limit = configuration.queue.sampleAgeLimit
        return limit > .zero ? time.milliseconds - limit.milliseconds : .min
    }

    // MARK: Batches

    /// Sends a batch until the receiver has it or refuses it for good.
    private func deliver(_ batch: MetricBatch) async throws {
        var splitCount = 0
        var waiting = [batch]
        while let next = waiting.popLast() {
            guard let refusal = try await send(next) else { continue }
            // A receiver of 1.0 may refuse a whole request for one sample that is out of order (or that it has got already, after a
            // crash here): halves find the rest a way in.
            if refusal.status == 400, configuration.message == .v1, next.rowCount > 1, splitCount < Self.splitCountMax {
                splitCount += 2
                let halves = next.halves
                waiting += [halves.1, halves.0]
                continue
            }
            let counts = RowCounts(next)
            statistics.update { $0.failed += counts }
            logger.error(
                "non-recoverable error while sending samples to remote",
                metadata: ["remote": "\(configuration.name)", "rows": "\(next.rowCount)", "error": "\(refusal.message)"])
        }
    }

    /// - Returns: why the receiver does not want it; nil where it has it.
    private func send(_ original: MetricBatch) async throws -> (status: Int, message: String)? {
        var batch = original
        var message = configuration.message
        var body = await encode(batch, message)
        var backoff = configuration.queue.backoffMin
        var attempt = 0
        while true {
            let begin = ContinuousClock.now
            let outcome = await client.post(body, as: message, attempt: attempt)
            try Task.checkCancellation()
            statistics.observe(ContinuousClock.now - begin)
            switch outcome {
            case .stored:
                let (counts, byteCount, highest) = (RowCounts(batch), body.count, batch.timestamps.max() ?? 0)
                statistics.update { figures in
                    figures.sent += counts
                    figures.byteCount &+= UInt64(byteCount)
                    figures.highestSentTimestamp = max(figures.highestSentTimestamp, highest)
                }
                return nil
            case .refused(let status, let text): return (status, text)
            case .unsupported(let text):
                // The specification lets a sender fall back, which beats losing what it has.
                guard message == .v2 else { return (415, text) }
                logger.warning("the remote does not take remote write 2.0: sending 1.0", metadata: ["remote": "\(configuration.name)"])
                message = .v1
                body = await encode(batch, message)
            case .unavailable(let text, let after):
                let wait = max(after ?? .zero, backoff)
                if attempt == 0 || attempt.isMultiple(of: 16) {
                    logger.warning(
                        "failed to send batch, retrying", metadata: ["remote": "\(configuration.name)", "attempt": "\(attempt)", "error": "\(text)"])
                }
                let counts = RowCounts(batch)
                statistics.update { $0.retried += counts }
                try await Task.sleep(for: wait)
                backoff = min(backoff * 2, configuration.queue.backoffMax)
                attempt += 1
                let young = dropOld(batch)
                if young.rowCount == 0 { return nil }
                if young.rowCount < batch.rowCount {
                    batch = young
                    body = await encode(batch, message)
                }
            }
        }
    }

    /// What of a batch that has waited is still young enough.
    private func dropOld(_ batch: MetricBatch) -> MetricBatch {
        let oldest = oldestTimestamp
        guard oldest > .min, batch.timestamps.contains(where: { $0 < oldest }) || batch.histograms.contains(where: { $0.timestamp < oldest })
        else { return batch }
        let young = batch.filtered { $0 >= oldest }
        let (before, after) = (RowCounts(batch), RowCounts(young))
        statistics.update { figures in
            figures.droppedByAge.samples &+= before.samples &- after.samples
            figures.droppedByAge.histograms &+= before.histograms &- after.histograms
            figures.droppedByAge.exemplars &+= before.exemplars &- after.exemplars
        }
        return young
    }

    private func encode(_ batch: MetricBatch, _ message: RemoteWriteConfiguration.Message) async -> [UInt8] {
        let bytes =
            switch message {
            case .v1: RemoteWrite.encode(batch)
            case .v2: RemoteWrite2.encode(batch, families: await families.families(of: batch))
            }
        return Compression.snappy.compress(bytes.span)
    }
}

extension MetricBatch {
    /// The first and the second half of the rows, each with the series that it needs.
    fileprivate var halves: (MetricBatch, MetricBatch) {
        var cut = (sampleCount / 2, histograms.count / 2, exemplars.count / 2)
        let kindCount = [sampleCount, histograms.count, exemplars.count].count { $0 > 0 }
        if sampleCount < 2, histograms.count < 2, kindCount > 1 {
            // One sample, one histogram and exemplars: kind by kind.
            cut = sampleCount > 0 ? (1, 0, 0) : (0, 1, 0)
        }
        let first = part(0..<cut.0, 0..<cut.1, 0..<cut.2)
        return (first, part(cut.0..<sampleCount, cut.1..<histograms.count, cut.2..<exemplars.count))
    }

    /// The rows whose time satisfies `holds`.
    fileprivate func filtered(_ holds: (Int64) -> Bool) -> MetricBatch {
        var kept = MetricBatch()
        kept.series = series
        for row in 0..<sampleCount where holds(timestamps[row]) {
            kept.append(series: sampleSeries[row], timestamp: timestamps[row], value: values[row])
        }
        kept.histograms = histograms.filter { holds($0.timestamp) }
        kept.exemplars = exemplars.filter { holds($0.exemplar.timestamp) }
        kept.startTimes = startTimes
        return kept.compacted
    }

    private func part(_ samples: Range<Int>, _ histogramRange: Range<Int>, _ exemplarRange: Range<Int>) -> MetricBatch {
        var part = MetricBatch()
        part.series = series
        for row in samples { part.append(series: sampleSeries[row], timestamp: timestamps[row], value: values[row]) }
        part.histograms = Array(histograms[histogramRange])
        part.exemplars = Array(exemplars[exemplarRange])
        part.startTimes = startTimes
        return part.compacted
    }

    /// Without series that have no rows.
    private var compacted: MetricBatch {
        var numbers: [UInt32: UInt32] = [:]
        var compact = MetricBatch()
        func number(_ old: UInt32) -> UInt32 {
            if let known = numbers[old] { return known }
            let new = compact.addSeries(series[Int(old)])
            numbers[old] = new
            return new
        }
        for row in 0..<sampleCount { compact.append(series: number(sampleSeries[row]), timestamp: timestamps[row], value: values[row]) }
        for row in histograms { compact.histograms.append((number(row.series), row.timestamp, row.histogram)) }
        for row in exemplars { compact.exemplars.append((number(row.series), row.exemplar)) }
        for row in startTimes {
            if let known = numbers[row.series] { compact.startTimes.append((known, row.timestamp, row.start)) }
        }
        return compact
    }
}
