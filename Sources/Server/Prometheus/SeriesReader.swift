import Formats
import Query
import Telemetry

/// Reads the samples of selectors as they are stored.
struct SeriesReader: Sendable {
    let store: any TelemetryStore

    /// All samples of the series that match, series by series in the order of their labels.
    func batch(_ matchers: [LabelMatcher], in range: TimeRange, context: QueryContext) async throws(QueryError) -> MetricBatch {
        var batch = MetricBatch()
        try await QueryError.reading {
            let streams = try await store.streams(.metrics, matching: matchers, in: range).sorted { $0.labels < $1.labels }
            var index: UInt32 = 0
            var current: StreamID?
            try await store.scan(ScanRequest(signal: .metrics, streams: streams, range: range, columns: .values)) { block in
                try context.check()
                try context.read(samples: block.count)
                if block.stream.id != current {
                    current = block.stream.id
                    index = batch.addSeries(block.stream.labels)
                }
                switch block.columns {
                case .floats(let values):
                    for row in 0..<block.count { batch.append(series: index, timestamp: block.timestamps[row], value: values[row]) }
                case .histograms(let values):
                    for row in 0..<block.count { batch.histograms.append((index, block.timestamps[row], values[row])) }
                case .logs, .spans, .profiles, .timestampsOnly: break
                }
                return .continue
            }
        }
        return batch
    }

    /// The last sample of a series.
    struct LastSample: Sendable {
        var labels: Labels
        var timestamp: Int64
        var value: ExposedFamily.Value
    }

    /// The last sample of each series that any of the selectors matches, unless it is a staleness marker; by labels.
    func lastSamples(
        _ selectors: [[LabelMatcher]], in range: TimeRange, context: QueryContext
    ) async throws(QueryError) -> [LastSample] {
        var found: [Labels: LastSample] = [:]
        for matchers in selectors {
            try await QueryError.reading {
                let streams = try await store.streams(.metrics, matching: matchers, in: range)
                try await store.scan(ScanRequest(signal: .metrics, streams: streams, range: range, columns: .values)) { block in
                    try context.check()
                    try context.read(samples: block.count)
                    guard let time = block.timestamps.last else { return .continue }
                    let labels = block.stream.labels
                    // A series may go from numbers to histograms and back: the blocks of either may come first.
                    if let known = found[labels], known.timestamp > time { return .continue }
                    found[labels] = nil
                    switch block.columns {
                    case .floats(let values):
                        guard let value = values.last, !Staleness.isMarker(value) else { return .continue }
                        found[labels] = LastSample(labels: labels, timestamp: time, value: .number(value))
                    case .histograms(let values):
                        guard let value = values.last, !value.isStale else { return .continue }
                        found[labels] = LastSample(labels: labels, timestamp: time, value: .histogram(value))
                    case .logs, .spans, .profiles, .timestampsOnly: break
                    }
                    return .continue
                }
            }
        }
        return found.values.sorted { $0.labels < $1.labels }
    }
}
