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

    /// The last float of each series that any of the selectors matches, unless it is a staleness marker; by labels.
    func lastFloats(
        _ selectors: [[LabelMatcher]], in range: TimeRange, context: QueryContext
    ) async throws(QueryError) -> [(labels: Labels, sample: Sample)] {
        var found: [Labels: Sample] = [:]
        for matchers in selectors {
            try await QueryError.reading {
                let streams = try await store.streams(.metrics, matching: matchers, in: range)
                try await store.scan(ScanRequest(signal: .metrics, streams: streams, range: range, columns: .values)) { block in
                    try context.check()
                    try context.read(samples: block.count)
                    // A series that goes on as a native histogram has no last float.
                    guard case .floats(let values) = block.columns, let value = values.last, let time = block.timestamps.last,
                        !Staleness.isMarker(value)
                    else {
                        found[block.stream.labels] = nil
                        return .continue
                    }
                    found[block.stream.labels] = Sample(timestamp: time, value: value)
                    return .continue
                }
            }
        }
        return found.map { ($0.key, $0.value) }.sorted { $0.labels < $1.labels }
    }
}
