package import Telemetry

/// A store that writes through a ``Redactor``: every way in passes it, whatever protocol the lines came by.
package struct RedactingStore: TelemetryStore {
    private let store: any TelemetryStore
    private let redactor: Redactor

    package init(_ store: any TelemetryStore, redactor: Redactor) {
        self.store = store
        self.redactor = redactor
    }

    package func append(_ batch: consuming TelemetryBatch) async throws(StoreError) {
        var batch = batch
        if !batch.logs.streams.isEmpty { batch.logs = redactor.redact(batch.logs) }
        try await store.append(batch)
    }

    package var seriesDirectory: (any SeriesDirectory)? { store.seriesDirectory }

    package func streams(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange, limit: Int?
    ) async throws(StoreError) -> [TelemetryStream] {
        try await store.streams(signal, matching: matchers, in: range, limit: limit)
    }

    package func labelNames(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String] {
        try await store.labelNames(signal, matching: matchers, in: range)
    }

    package func labelValues(
        _ name: String, _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String] {
        try await store.labelValues(name, signal, matching: matchers, in: range)
    }

    package func cardinality(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange, limit: Int
    ) async throws(StoreError) -> Cardinality {
        try await store.cardinality(signal, matching: matchers, in: range, limit: limit)
    }

    package func scan(_ request: ScanRequest, _ body: (Block) throws -> ScanControl) async throws {
        try await store.scan(request, body)
    }

    package func exemplars(
        matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [(series: Labels, exemplars: [Exemplar])] {
        try await store.exemplars(matching: matchers, in: range)
    }

    package func metadata(family: String?) async throws(StoreError) -> [MetricMetadata] { try await store.metadata(family: family) }

    package func delete(_ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange) async throws(StoreError) {
        try await store.delete(signal, matching: matchers, in: range)
    }

    package func statistics() async -> StoreStatistics { await store.statistics() }
}
