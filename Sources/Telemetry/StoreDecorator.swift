/// A store over another one: it changes what is written, or looks at it; reads go through as they are.
package protocol StoreDecorator: TelemetryStore {
    /// The store below.
    var base: any TelemetryStore { get }
}

extension TelemetryStore {
    /// The store, or one below it, that gathers patterns of log lines; nil where none does.
    package var patternSource: (any PatternSource)? {
        (self as? any PatternSource) ?? (self as? any StoreDecorator)?.base.patternSource
    }
}

extension StoreDecorator {
    package var seriesDirectory: (any SeriesDirectory)? { base.seriesDirectory }

    package func labels(of handles: [SeriesHandle]) -> [Labels?] { base.labels(of: handles) }

    package func acceptedRange(_ signal: Signal) -> TimeRange { base.acceptedRange(signal) }

    package func streams(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange, limit: Int?
    ) async throws(StoreError) -> [TelemetryStream] {
        try await base.streams(signal, matching: matchers, in: range, limit: limit)
    }

    package func labelNames(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String] {
        try await base.labelNames(signal, matching: matchers, in: range)
    }

    package func labelValues(
        _ name: String, _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String] {
        try await base.labelValues(name, signal, matching: matchers, in: range)
    }

    package func cardinality(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange, limit: Int
    ) async throws(StoreError) -> Cardinality {
        try await base.cardinality(signal, matching: matchers, in: range, limit: limit)
    }

    package func scan(_ request: ScanRequest, _ body: (Block) throws -> ScanControl) async throws {
        try await base.scan(request, body)
    }

    package func scanLogs(_ request: ScanRequest, _ reader: inout some LogScanReader) async throws {
        try await base.scanLogs(request, &reader)
    }

    package func exemplars(
        matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [(series: Labels, exemplars: [Exemplar])] {
        try await base.exemplars(matching: matchers, in: range)
    }

    package func metadata(family: String?) async throws(StoreError) -> [MetricMetadata] {
        try await base.metadata(family: family)
    }

    package func delete(_ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange) async throws(StoreError) {
        try await base.delete(signal, matching: matchers, in: range)
    }

    package func statistics() async -> StoreStatistics { await base.statistics() }
}
