import Codecs
import Formats
import Logging
import ServiceLifecycle
package import Telemetry

/// Sends what a spool holds to a Loki push endpoint, in order, and waits as long as the server cannot take it.
package final class SpoolSender: Service {
    /// What the server answered.
    package struct Answer: Sendable {
        package var status: Int
        package var body: [UInt8]

        package init(status: Int, body: [UInt8] = []) {
            self.status = status
            self.body = body
        }
    }

    /// Sends a request's body; throws where no answer came.
    package typealias Post = @Sendable (_ body: [UInt8], _ headers: [(name: String, value: String)]) async throws -> Answer

    /// How it sends.
    package struct Options: Sendable {
        /// Host and port of the server: the label `host` of its metrics.
        package var host = ""
        package var tenant = ""
        package var headers: [(name: String, value: String)] = []
        package var externalLabels: Labels = .empty
        package var batchWait = Duration.seconds(1)
        /// Bytes of the lines of a request.
        package var batchByteCountMax = 1 << 20
        package var backoffMin = Duration.milliseconds(500)
        package var backoffMax = Duration.seconds(300)
        /// Leave out what was refused with 429, instead of sending it again.
        package var dropsRateLimitedBatches = false

        package init() {}
    }

    private let options: Options
    private let spool: Spool
    private let post: Post
    private let metrics: SourceMetrics
    private let logger: Logger
    private let thread: DiskThread

    init(options: Options, spool: Spool, metrics: SourceMetrics, logger: Logger, post: @escaping Post) {
        self.options = options
        self.spool = spool
        self.metrics = metrics
        self.logger = logger
        self.post = post
        thread = DiskThread("apus.sender")
    }

    /// Sends until the service group shuts down.
    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.sendUntilCancelled() }
    }

    func sendUntilCancelled() async {
        while !Task.isCancelled {
            do throws(StoreError) {
                guard let (batch, next) = try await gather() else {
                    metrics.set("apus_spool_waiting_bytes", Labels(["host": options.host]), Double(spool.waitingByteCount))
                    await spool.signal.wait(atMost: .seconds(5))
                    continue
                }
                guard await send(batch) else { return }
                let spool = spool
                try await thread.run { () throws(StoreError) in try spool.acknowledge(next) }
            } catch {
                logger.error("The spool cannot be read: trying again", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: .seconds(5))
            }
        }
    }

    /// The next records, as many as make a request or come within the batch's time.
    private func gather() async throws(StoreError) -> (batch: DeliveryBatch, next: Spool.Position)? {
        var batch = DeliveryBatch()
        var position = spool.head
        var deadline: ContinuousClock.Instant?
        while batch.lineByteCount < options.batchByteCountMax {
            let (spool, place) = (spool, position)
            if let item = try await thread.run({ () throws(StoreError) in try spool.read(at: place) }) {
                batch.append(item.record.batch)
                position = item.next
                if deadline == nil { deadline = .now + options.batchWait }
                continue
            }
            guard let deadline else { return nil }
            let left = ContinuousClock.now.duration(to: deadline)
            if left <= .zero || Task.isCancelled { break }
            await spool.signal.wait(atMost: left)
        }
        return (batch, position)
    }

    /// - Returns: false where the task was cancelled before all of it was settled.
    private func send(_ batch: DeliveryBatch) async -> Bool {
        for tenant in batch.tenants {
            for part in batch.logs(tenant: tenant).parts(lineByteCountMax: options.batchByteCountMax) {
                guard await send(part, tenant: tenant.isEmpty ? options.tenant : tenant) else { return false }
            }
        }
        return true
    }

    private func send(_ logs: LogBatch, tenant: String) async -> Bool {
        var labelled = logs
        if !options.externalLabels.isEmpty {
            for index in labelled.streams.indices {
                let own = labelled.streams[index].labels
                labelled.streams[index].labels = Labels(options.externalLabels.pairs + own.pairs)
            }
        }
        let body = Compression.snappy.compress(LokiPush.encodeProtobuf(labelled).span)
        var headers = options.headers + [("Content-Type", "application/x-protobuf")]
        if !tenant.isEmpty { headers.append(("X-Scope-OrgID", tenant)) }
        let labels = Labels(["host": options.host, "tenant": tenant])
        var failureCount = 0
        while !Task.isCancelled {
            let failure: String
            let start = ContinuousClock.now
            do {
                let answer = try await post(body, headers)
                observe(start, status: String(answer.status))
                if (200..<300).contains(answer.status) {
                    count(logs, body.count, labels)
                    return true
                }
                let text = String(decoding: answer.body.prefix(512), as: UTF8.self).split(separator: "\n").first ?? ""
                failure = "the server returned HTTP status \(answer.status): \(text)"
                let isRateLimited = answer.status == 429
                if isRateLimited ? options.dropsRateLimitedBatches : answer.status / 100 != 5 {
                    drop(logs, isRateLimited ? "rate_limited" : "ingester_error", labels, failure)
                    return true
                }
            } catch {
                if Task.isCancelled { return false }
                observe(start, status: "error")
                failure = "\(error)"
            }
            failureCount += 1
            metrics.add("promtail_batch_retries_total", labels)
            if failureCount == 1 {
                logger.warning(
                    "Lines could not be sent: they wait in the spool",
                    metadata: ["host": "\(options.host)", "error": .string(failure)])
            }
            let pause = min(options.backoffMax, options.backoffMin * (1 << min(failureCount - 1, 16)))
            // Not all agents at once.
            guard (try? await Task.sleep(for: pause * Double.random(in: 0.5...1))) != nil else { return false }
        }
        return false
    }

    private func count(_ logs: LogBatch, _ byteCount: Int, _ labels: Labels) {
        let host = Labels(["host": options.host])
        metrics.add("promtail_sent_entries_total", labels, Double(logs.entryCount))
        metrics.add("promtail_sent_bytes_total", labels, Double(logs.streams.reduce(0) { $0 + $1.entries.bytes.count }))
        metrics.add("promtail_encoded_bytes_total", host, Double(byteCount))
    }

    private func drop(_ logs: LogBatch, _ reason: String, _ labels: Labels, _ failure: String) {
        logger.error(
            "Lines were refused for good", metadata: ["host": "\(options.host)", "count": "\(logs.entryCount)", "error": .string(failure)])
        metrics.dropped(logs.entryCount, reason: reason, labels)
        let reasons = Labels(labels.pairs + [Label("reason", reason)])
        metrics.add("promtail_dropped_bytes_total", reasons, Double(logs.streams.reduce(0) { $0 + $1.entries.bytes.count }))
    }

    private func observe(_ start: ContinuousClock.Instant, status: String) {
        let labels = Labels(["host": options.host, "status_code": status])
        let elapsed = start.duration(to: .now)
        metrics.add("promtail_request_duration_seconds_count", labels)
        metrics.add(
            "promtail_request_duration_seconds_sum", labels,
            Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18)
    }
}

extension LogBatch {
    /// The same lines in batches of so many bytes at most, or of one line.
    func parts(lineByteCountMax: Int) -> [LogBatch] {
        if streams.reduce(0, { $0 + $1.entries.bytes.count }) <= lineByteCountMax { return isEmpty ? [] : [self] }
        var parts: [LogBatch] = []
        var (part, byteCount) = (LogBatch(), 0)
        for stream in streams {
            var copy = LogBatch.Stream(labels: stream.labels)
            for row in stream.entries.indices {
                let size = stream.entries.range(row).count
                if byteCount > 0, byteCount + size > lineByteCountMax {
                    if !copy.entries.isEmpty { part.streams.append(copy) }
                    parts.append(part)
                    copy = LogBatch.Stream(labels: stream.labels)
                    (part, byteCount) = (LogBatch(), 0)
                }
                copy.entries.append(CollectionOfOne(row), of: stream.entries)
                byteCount += size
            }
            if !copy.entries.isEmpty { part.streams.append(copy) }
        }
        if !part.isEmpty { parts.append(part) }
        return parts
    }
}
