import Codecs
import Formats
import Logging
import Settings
import Telemetry

/// Sends what is known of all metric families every `send_interval`, as requests of remote write 1.0 (2.0 sends it beside the samples).
struct RemoteMetadataSender: Sendable {
    private static let attemptCountMax = 3

    let configuration: RemoteWriteConfiguration
    let store: any TelemetryStore
    let client: RemoteWriteClient
    let statistics: RemoteWriteStatistics
    let logger: Logger

    /// Sends until the task is cancelled.
    func run() async {
        guard configuration.metadata.isSent, configuration.message == .v1 else { return }
        while (try? await Task.sleep(for: configuration.metadata.interval)) != nil {
            guard let families = try? await store.metadata(family: nil) else { continue }
            for start in stride(from: 0, to: families.count, by: configuration.metadata.countPerSendMax) {
                await send(Array(families[start..<min(start + configuration.metadata.countPerSendMax, families.count)]))
            }
        }
    }

    private func send(_ families: [MetricMetadata]) async {
        var batch = MetricBatch()
        batch.metadata = families
        let body = Compression.snappy.compress(RemoteWrite.encode(batch).span)
        var backoff = configuration.queue.backoffMin
        for attempt in 0..<Self.attemptCountMax {
            switch await client.post(body, as: .v1, attempt: attempt) {
            case .stored:
                statistics.update { figures in
                    figures.metadataSent &+= UInt64(families.count)
                    figures.metadataByteCount &+= UInt64(body.count)
                }
                return
            case .refused(_, let text), .unsupported(let text):
                statistics.update { $0.metadataFailed &+= UInt64(families.count) }
                logger.error("non-recoverable error while sending metadata to remote", metadata: ["remote": "\(configuration.name)", "error": "\(text)"])
                return
            case .unavailable(_, let after):
                statistics.update { $0.metadataRetried &+= UInt64(families.count) }
                guard (try? await Task.sleep(for: max(after ?? .zero, backoff))) != nil else { return }
                backoff = min(backoff * 2, configuration.queue.backoffMax)
            }
        }
        // The next round says it all again.
        statistics.update { $0.metadataFailed &+= UInt64(families.count) }
    }
}
