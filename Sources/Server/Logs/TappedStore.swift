import Telemetry

/// A store whose log lines are told to ``LiveLogs`` once they are stored, whoever writes them.
struct TappedStore: TelemetryStore {
    let base: any TelemetryStore
    let live: LiveLogs

    func append(_ batch: consuming TelemetryBatch) async throws(StoreError) {
        guard !batch.logs.streams.isEmpty, !live.isQuiet else { return try await base.append(batch) }
        let logs = batch.logs
        try await base.append(batch)
        live.publish(logs)
    }

    var seriesDirectory: (any SeriesDirectory)? { base.seriesDirectory }

    func streams(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange, limit: Int?
    ) async throws(StoreError) -> [TelemetryStream] {
        try await base.streams(signal, matching: matchers, in: range, limit: limit)
    }

    func labelNames(_ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange) async throws(StoreError) -> [String] {
        try await base.labelNames(signal, matching: matchers, in: range)
    }

    func labelValues(
        _ name: String, _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String] {
        try await base.labelValues(name, signal, matching: matchers, in: range)
    }

    func cardinality(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange, limit: Int
    ) async throws(StoreError) -> Cardinality {
        try await base.cardinality(signal, matching: matchers, in: range, limit: limit)
    }

    func scan(_ request: ScanRequest, _ body: (Block) throws -> ScanControl) async throws {
        try await base.scan(request, body)
    }

    func exemplars(
        matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [(series: Labels, exemplars: [Exemplar])] {
        try await base.exemplars(matching: matchers, in: range)
    }

    func metadata(family: String?) async throws(StoreError) -> [MetricMetadata] {
        try await base.metadata(family: family)
    }

    func delete(_ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange) async throws(StoreError) {
        try await base.delete(signal, matching: matchers, in: range)
    }

    func statistics() async -> StoreStatistics {
        await base.statistics()
    }
}
