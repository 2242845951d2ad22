import Collectors

/// What `remote_write` has sent, under the names of Prometheus (storage/remote, `queueManagerMetrics`).
enum RemoteWriteMetrics {
    private typealias Value = (RemoteWriteSnapshot) -> Double

    static func write(_ remotes: [RemoteWriteSnapshot], queueByteCount: Int, to text: inout MetricsText) {
        if remotes.isEmpty { return }
        counters(remotes, &text)
        dropped(remotes, &text)
        gauges(remotes, &text)
        durations(remotes, &text)
        text.family("apus_remote_write_queue_bytes", "gauge", "Bytes on disk that wait for the slowest remote.")
        text.sample("apus_remote_write_queue_bytes", [], Double(queueByteCount))
    }

    private static func labels(_ remote: RemoteWriteSnapshot) -> [(String, String)] {
        [("remote_name", remote.configuration.name), ("url", remote.configuration.url)]
    }

    private static func family(
        _ name: String, _ type: String, _ help: String, _ remotes: [RemoteWriteSnapshot], _ text: inout MetricsText, _ value: Value
    ) {
        text.family("prometheus_remote_storage_" + name, type, help)
        for remote in remotes { text.sample("prometheus_remote_storage_" + name, labels(remote), value(remote)) }
    }

    private static func counters(_ remotes: [RemoteWriteSnapshot], _ text: inout MetricsText) {
        let kinds: [(name: String, counts: (RowCounts) -> UInt64)] = [("samples", \.samples), ("exemplars", \.exemplars), ("histograms", \.histograms)]
        for (kind, count) in kinds {
            family("\(kind)_total", "counter", "Total number of \(kind) sent to remote storage.", remotes, &text) { Double(count($0.figures.sent)) }
            family("\(kind)_failed_total", "counter", "Total number of \(kind) which failed on send to remote storage, non-recoverable errors.", remotes, &text) {
                Double(count($0.figures.failed))
            }
            family(
                "\(kind)_retried_total", "counter",
                "Total number of \(kind) which failed on send to remote storage but were retried because the send error was recoverable.", remotes, &text
            ) { Double(count($0.figures.retried)) }
        }
        family("metadata_total", "counter", "Total number of metadata entries sent to remote storage.", remotes, &text) { Double($0.figures.metadataSent) }
        family("metadata_failed_total", "counter", "Total number of metadata entries which failed on send to remote storage, non-recoverable errors.", remotes, &text) {
            Double($0.figures.metadataFailed)
        }
        family(
            "metadata_retried_total", "counter",
            "Total number of metadata entries which failed on send to remote storage but were retried because the send error was recoverable.", remotes, &text
        ) { Double($0.figures.metadataRetried) }
        family("bytes_total", "counter", "The total number of bytes of data (not metadata) sent by the queue after compression.", remotes, &text) {
            Double($0.figures.byteCount)
        }
        family("metadata_bytes_total", "counter", "The total number of bytes of metadata sent by the queue after compression.", remotes, &text) {
            Double($0.figures.metadataByteCount)
        }
    }

    private static func dropped(_ remotes: [RemoteWriteSnapshot], _ text: inout MetricsText) {
        let kinds: [(name: String, counts: (RowCounts) -> UInt64)] = [("samples", \.samples), ("exemplars", \.exemplars), ("histograms", \.histograms)]
        for (kind, count) in kinds {
            let name = "prometheus_remote_storage_\(kind)_dropped_total"
            text.family(name, "counter", "Total number of \(kind) which were dropped before being sent via remote write, by reason.")
            for remote in remotes {
                text.sample(name, labels(remote) + [("reason", "dropped_series")], Double(count(remote.figures.droppedByRelabelling)))
                text.sample(name, labels(remote) + [("reason", "too_old")], Double(count(remote.figures.droppedByAge)))
                // The queue counts rows of any kind.
                if kind == "samples" { text.sample(name, labels(remote) + [("reason", "queue_full")], Double(remote.figures.lostRowCount)) }
            }
        }
    }

    private static func gauges(_ remotes: [RemoteWriteSnapshot], _ text: inout MetricsText) {
        family("samples_pending", "gauge", "The number of samples, histograms and exemplars on disk that the remote has not got.", remotes, &text) {
            Double($0.pendingRowCount)
        }
        family("shards", "gauge", "The number of shards used for parallel sending to the remote storage.", remotes, &text) { Double($0.figures.shardCount) }
        family("shards_desired", "gauge", "The number of shards that the queues shard calculation wants to run.", remotes, &text) {
            Double($0.figures.shardCountDesired)
        }
        family("shards_max", "gauge", "The maximum number of shards that the queue is allowed to run.", remotes, &text) {
            Double($0.configuration.queue.shardCountMax)
        }
        family("shards_min", "gauge", "The minimum number of shards that the queue is allowed to run.", remotes, &text) {
            Double($0.configuration.queue.shardCountMin)
        }
        family("shard_capacity", "gauge", "The capacity of each shard of the queue used for parallel sending to the remote storage.", remotes, &text) {
            Double($0.configuration.queue.capacity)
        }
        family("max_samples_per_send", "gauge", "The maximum number of samples to be sent, in a single request, to the remote storage.", remotes, &text) {
            Double($0.configuration.queue.sampleCountPerSendMax)
        }
        family("queue_highest_timestamp_seconds", "gauge", "Highest timestamp that was read from the queue, in seconds since epoch.", remotes, &text) {
            Double($0.figures.highestTimestamp) / 1_000
        }
        family("queue_highest_sent_timestamp_seconds", "gauge", "Highest timestamp successfully sent by this queue, in seconds since epoch.", remotes, &text) {
            Double($0.figures.highestSentTimestamp) / 1_000
        }
    }

    private static func bound(_ index: Int) -> String {
        guard index < RemoteWriteFigures.durationBounds.count else { return "+Inf" }
        let bound = RemoteWriteFigures.durationBounds[index]
        return bound == bound.rounded() ? String(Int(bound)) : "\(bound)"
    }

    private static func durations(_ remotes: [RemoteWriteSnapshot], _ text: inout MetricsText) {
        let name = "prometheus_remote_storage_sent_batch_duration_seconds"
        text.family(name, "histogram", "Duration of send calls to the remote storage.")
        for remote in remotes {
            var total: UInt64 = 0
            for (index, count) in remote.figures.durationCounts.enumerated() {
                total &+= count
                text.sample(name + "_bucket", labels(remote) + [("le", Self.bound(index))], Double(total))
            }
            text.sample(name + "_sum", labels(remote), remote.figures.durationSum)
            text.sample(name + "_count", labels(remote), Double(total))
        }
    }
}
