import Synchronization
package import Telemetry

/// What tests ask a store for.
extension TelemetryStore {
    /// The float samples of each series that matches, by label set.
    package func samples(_ matchers: LabelMatcher...) async throws -> [Labels: [Sample]] {
        let streams = try await streams(.metrics, matching: matchers, in: .all)
        let rows = Mutex<[Labels: [Sample]]>([:])
        try await scan(ScanRequest(signal: .metrics, streams: streams, range: .all)) { block in
            if case .floats(let values) = block.columns {
                rows.withLock { rows in
                    for (timestamp, value) in zip(block.timestamps, values) {
                        rows[block.stream.labels, default: []].append(Sample(timestamp: timestamp, value: value))
                    }
                }
            }
            return .continue
        }
        return rows.withLock { $0 }
    }

    /// The samples of the metric of that name, all its series one after the other.
    package func samples(named name: String) async throws -> [Sample] {
        try await samples(LabelMatcher(Labels.metricName, .equal, name)).values.flatMap { $0 }
    }

    /// The log entries of the streams that match, oldest first, with their streams' labels.
    package func logEntries(_ matchers: LabelMatcher...) async throws -> [(labels: Labels, entry: LogEntry)] {
        let streams = try await streams(.logs, matching: matchers, in: .all)
        let rows = Mutex<[(labels: Labels, entry: LogEntry)]>([])
        try await scan(ScanRequest(signal: .logs, streams: streams, range: .all)) { block in
            guard case .logs(let columns) = block.columns else { return .continue }
            rows.withLock { rows in
                for (index, timestamp) in block.timestamps.enumerated() {
                    let entry = LogEntry(
                        timestamp: timestamp, line: columns.line(index), metadata: columns.metadata[index],
                        traceID: columns.traceIDs[index],
                        spanID: columns.spanIDs[index])
                    rows.append((block.stream.labels, entry))
                }
            }
            return .continue
        }
        return rows.withLock { $0 }.sorted { $0.entry.timestamp < $1.entry.timestamp }
    }
}
