package import Telemetry

extension EmbeddedStore {
    package func streams(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange, limit: Int?
    ) async throws(StoreError) -> [TelemetryStream] {
        let sources = try sources(signal, matchers, in: range)
        return self[signal].registry.streams(sources.found(), limit: limit)
    }

    package func labelNames(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String] {
        let sources = try sources(signal, matchers, in: range)
        var names: Set<String> = []
        self[signal].registry.labelNames(sources.found(), into: &names)
        return names.sorted { $0.utf8Precedes($1) }
    }

    package func labelValues(
        _ name: String, _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String] {
        let sources = try sources(signal, matchers, in: range)
        var values: Set<String> = []
        self[signal].registry.labelValues(name, sources.found(), into: &values)
        return values.sorted { $0.utf8Precedes($1) }
    }

    package func cardinality(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange, limit: Int
    ) async throws(StoreError) -> Cardinality {
        let sources = try sources(signal, matchers, in: range)
        var tally = CardinalityTally()
        self[signal].registry.count(sources.found(), into: &tally)
        return tally.cardinality(group: signal.groupLabelName, limit: limit)
    }

    package func scan(_ request: ScanRequest, _ body: (Block) throws -> ScanControl) async throws {
        if request.streams.isEmpty || request.range.isEmpty { return }
        let kinds: Set<RowKind> =
            switch request.signal {
            case .metrics: [.floats, .histograms]
            case .logs: [.logs]
            case .spans: [.spans]
            case .profiles: [.profiles]
            }
        try Scan(request, kinds: kinds, store: self[request.signal]).run(body)
    }

    package func exemplars(
        matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [(series: Labels, exemplars: [Exemplar])] {
        let streams = try await streams(.metrics, matching: matchers, in: range, limit: nil)
        if streams.isEmpty || range.isEmpty { return [] }
        let request = ScanRequest(signal: .metrics, streams: streams, range: range)
        do {
            let found = try Scan(request, kinds: [.exemplars], store: self[.metrics]).exemplars()
            return zip(streams, found).filter { !$1.isEmpty }.map { (series: $0.labels, exemplars: $1) }.sorted { $0.series < $1.series }
        } catch let error as StoreError {
            throw error
        } catch {
            // The only other error of a scan without a body.
            throw StoreError(.closed, "the request was cancelled")
        }
    }

    package func metadata(family: String?) async throws(StoreError) -> [MetricMetadata] {
        metadataTable.families(family)
    }

    /// Where the streams of the days that meet a range are looked for.
    private struct Sources {
        let registry: StreamRegistry
        let matchers: [CompiledMatcher]
        var members = Bitmap()

        func found() -> Bitmap {
            members.isEmpty ? members : registry.matching(matchers, among: members)
        }
    }

    private func sources(_ signal: Signal, _ matchers: [LabelMatcher], in range: TimeRange) throws(StoreError) -> Sources {
        var compiled: [CompiledMatcher] = []
        for matcher in matchers { compiled.append(try CompiledMatcher(matcher)) }
        var sources = Sources(registry: self[signal].registry, matchers: compiled)
        if range.isEmpty { return sources }
        let now = options.time.nanoseconds
        for (_, index, _) in self[signal].snapshot(range).days {
            index.touch(now)
            sources.members.formUnion(index.members())
        }
        return sources
    }
}
