package import Telemetry

extension EmbeddedStore {
    package func streams(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange, limit: Int?
    ) async throws(StoreError) -> [TelemetryStream] {
        let question = try IndexQuestion(matchers)
        return try self[signal].registry.consistently { () throws(StoreError) in
            question.streams(sources(signal, in: range), limit: limit)
        }
    }

    package func labelNames(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String] {
        let question = try IndexQuestion(matchers)
        return try self[signal].registry.consistently { () throws(StoreError) in
            question.labelNames(sources(signal, in: range))
        }
    }

    package func labelValues(
        _ name: String, _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String] {
        let question = try IndexQuestion(matchers)
        return try self[signal].registry.consistently { () throws(StoreError) in
            question.labelValues(name, sources(signal, in: range))
        }
    }

    package func cardinality(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange, limit: Int
    ) async throws(StoreError) -> Cardinality {
        let question = try IndexQuestion(matchers)
        return try self[signal].registry.consistently { () throws(StoreError) in
            question.tally(sources(signal, in: range)).cardinality(group: signal.groupLabelName, limit: limit)
        }
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

    package func scanLogs(_ request: ScanRequest, _ reader: inout some LogScanReader) async throws {
        if request.streams.isEmpty || request.range.isEmpty { return }
        try Scan(request, kinds: [.logs], store: self[.logs], readsLogs: true).runLogs(&reader)
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

    /// Where the streams of the days that meet a range are.
    private func sources(_ signal: Signal, in range: TimeRange) -> IndexSources {
        var sources = IndexSources(registry: self[signal].registry)
        if range.isEmpty { return sources }
        let now = options.time.nanoseconds
        for (_, index, _) in self[signal].snapshot(range).days {
            index.touch(now)
            let (members, segments) = index.contents()
            sources.members.formUnion(members)
            sources.segments += segments
        }
        return sources
    }
}
