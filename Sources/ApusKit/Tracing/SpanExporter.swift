import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Synchronization
import Tracing

/// Sends ended spans as OTLP/JSON over HTTP, in batches, by one loop.
final class SpanExporter: Sendable {
    /// What OpenTelemetry's batch processors send at once by default.
    private static let batchCountMax = 512
    /// A trace should be there when its log line is.
    private static let interval = Duration.milliseconds(500)
    /// A batch is tried at 0, 0.5, 1.5, 3.5 and 7.5 seconds; by then the queue is filling.
    private static let attemptCountMax = 5
    private static let retryDelayFirst = Duration.milliseconds(500)
    private static let requestTimeout = TimeAmount.seconds(10)
    /// What a process that stops has left for its last spans.
    private static let goodbyeTimeout = TimeAmount.seconds(3)

    private let endpoint: String
    private let headers: [(name: String, value: String)]
    private let resource: [(String, SpanAttribute)]
    private let queue: SpanQueue
    private let exported: PrometheusCounter
    private let logger: Logger
    /// Whether trouble was said and not yet over: it is said once, and its end too.
    private let isTroubled = Mutex(false)

    init(
        endpoint: String, headers: [(name: String, value: String)], resource: [(String, SpanAttribute)],
        queue: SpanQueue,
        exported: PrometheusCounter, logger: Logger
    ) {
        self.endpoint = endpoint
        self.headers = headers
        self.resource = resource
        self.queue = queue
        self.exported = exported
        self.logger = logger
    }

    /// Sends until graceful shutdown or cancellation, then what is left, once.
    func run() async {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                await sendQueued(attemptCountMax: Self.attemptCountMax, timeout: Self.requestTimeout)
                try? await Task.sleep(for: Self.interval)
            }
        }
        await flush()
    }

    /// Sends everything queued; each batch is tried once.
    func flush() async {
        // A task of its own, because the caller's may be cancelled already, and these are the last spans.
        await Task { [self] in await sendQueued(attemptCountMax: 1, timeout: Self.goodbyeTimeout) }.value
    }

    private func sendQueued(attemptCountMax: Int, timeout: TimeAmount) async {
        while true {
            let batch = queue.take(atMost: Self.batchCountMax)
            if batch.isEmpty { return }
            do {
                try await send(batch, attemptCountMax: attemptCountMax, timeout: timeout)
                exported.increment(by: Int64(batch.count))
                recovered()
            } catch {
                queue.drop(batch.count)
                complain(error, spanCount: batch.count)
                // The next batch would fare no better; it waits for the next round.
                return
            }
        }
    }

    private func send(_ batch: [EndedSpan], attemptCountMax: Int, timeout: TimeAmount) async throws {
        var request = HTTPClientRequest(url: endpoint)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        for header in headers { request.headers.replaceOrAdd(name: header.name, value: header.value) }
        request.body = .bytes(ByteBuffer(bytes: OTLPSpanEncoder.encode(batch, resource: resource)))

        var delay = Self.retryDelayFirst
        for attempt in 1... {
            do {
                let response = try await Self.client.execute(request, timeout: timeout)
                let answer = try await response.body.collect(upTo: 64 << 10)
                if response.status == .ok { return }
                throw ExportError(status: response.status.code, message: String(buffer: answer))
            } catch {
                let isFinal = (error as? ExportError).map { !$0.isTemporary } ?? false
                if isFinal || attempt >= attemptCountMax || Task.isCancelled { throw error }
            }
            try? await Task.sleep(for: delay)
            delay *= 2
        }
    }

    /// A client that traces nothing: the sending of spans must not make spans.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.tracing.tracer = nil
        configuration.timeout.connect = .seconds(3)
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    private func complain(_ error: any Error, spanCount: Int) {
        let isNew = isTroubled.withLock { isTroubled in
            defer { isTroubled = true }
            return !isTroubled
        }
        guard isNew else { return }
        logger.warning(
            "spans are being lost: the collector does not take them",
            metadata: [
                "endpoint": .string(endpoint), "error": .string("\(error)"), "spans": .stringConvertible(spanCount),
            ])
    }

    private func recovered() {
        let wasTroubled = isTroubled.withLock { isTroubled in
            defer { isTroubled = false }
            return isTroubled
        }
        if wasTroubled { logger.info("the collector takes spans again", metadata: ["endpoint": .string(endpoint)]) }
    }
}

/// A collector's refusal.
struct ExportError: Error, CustomStringConvertible {
    var status: UInt
    var message: String

    /// OTLP names these four as worth another try.
    var isTemporary: Bool { [429, 502, 503, 504].contains(status) }

    var description: String { "HTTP \(status): \(message.prefix(200))" }
}
