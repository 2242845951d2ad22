import Codecs
import Formats
import Synchronization
package import Telemetry

/// A store that puts a copy of every sample that it takes into a queue, from where ``RemoteWriteManager`` sends it on.
///
/// An append returns when both are durable. A record of the queue is an `io.prometheus.write.v2.Request` without metadata, compressed by
/// zstd: docs/format/queue.md.
package final class ForwardingStore: StoreDecorator {
    /// zstd's fastest: the sender pays for it on every request.
    private static let compressionLevel = 1

    package let base: any TelemetryStore
    private let queue: any RecordQueue
    private let isForwarding = Atomic<Bool>(false)

    package init(_ base: any TelemetryStore, queue: any RecordQueue) {
        self.base = base
        self.queue = queue
    }

    /// Whether anybody reads the queue.
    package func setForwarding(_ isForwarding: Bool) {
        self.isForwarding.store(isForwarding, ordering: .relaxed)
    }

    package func append(_ batch: consuming TelemetryBatch) async throws(StoreError) {
        let metrics = batch.metrics
        guard isForwarding.load(ordering: .relaxed), !metrics.isEmpty else {
            try await base.append(batch)
            return
        }
        var refusal: StoreError?
        do throws(StoreError) {
            try await base.append(batch)
        } catch {
            // The rows within bounds are stored all the same.
            guard error.code == .rejected else { throw error }
            refusal = error
        }
        let forwarded = rows(of: metrics, in: refusal == nil ? .all : base.acceptedRange(.metrics))
        if forwarded.rowCount > 0 {
            let record = Compression.zstd.compress(RemoteWrite2.encode(forwarded, families: [:]).span, level: Self.compressionLevel)
            try await queue.append(record, rowCount: forwarded.rowCount)
        }
        if let refusal { throw refusal }
    }

    /// What of a batch is forwarded, each series with its labels.
    private func rows(of metrics: MetricBatch, in range: TimeRange) -> MetricBatch {
        var series = metrics.series
        if !metrics.handles.isEmpty {
            let known = metrics.handles.indices.filter { metrics.handles[$0] != .unknown }
            let labels = base.labels(of: known.map { metrics.handles[$0] })
            if series.isEmpty { series = [Labels](repeating: .empty, count: metrics.handles.count) }
            for (index, labels) in zip(known, labels) { series[index] = labels ?? .empty }
        }
        // A series that was forgotten since has no labels, and one without labels no receiver takes.
        func isWanted(_ index: UInt32, _ time: Int64) -> Bool {
            Int(index) < series.count && !series[Int(index)].isEmpty && range.contains(time)
        }
        var rows = MetricBatch()
        rows.series = series
        rows.reserveCapacity(metrics.sampleCount)
        for row in 0..<metrics.sampleCount where isWanted(metrics.sampleSeries[row], metrics.timestamps[row]) {
            rows.append(series: metrics.sampleSeries[row], timestamp: metrics.timestamps[row], value: metrics.values[row])
        }
        rows.histograms = metrics.histograms.filter { isWanted($0.series, $0.timestamp) }
        rows.exemplars = metrics.exemplars.filter { isWanted($0.series, $0.exemplar.timestamp) }
        rows.startTimes = metrics.startTimes.filter { isWanted($0.series, $0.timestamp) }
        return rows
    }
}

extension MetricBatch {
    /// Samples, histograms and exemplars.
    var rowCount: Int { sampleCount + histograms.count + exemplars.count }
}
