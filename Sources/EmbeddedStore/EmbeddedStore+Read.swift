package import Telemetry

extension EmbeddedStore {
    package func streams(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange, limit: Int?
    ) async throws(StoreError) -> [TelemetryStream] {
        let compiled = try compile(matchers)
        var result: [TelemetryStream] = []
        // Most streams live on several of the days asked for. Ids are unique but for the rare hash collision.
        var seen: [UInt64: [Int]] = [:]
        for index in indexes(signal, in: range) {
            for stream in index.streams(compiled) {
                let known = seen[stream.id.value]
                if known?.contains(where: { result[$0].isSame(as: stream.labels, stream.resource, signal) }) == true { continue }
                if let limit, result.count >= limit { return result.sorted { $0.id < $1.id } }
                seen[stream.id.value, default: []].append(result.count)
                result.append(stream)
            }
        }
        // The order in which parts hold them.
        return result.sorted { $0.id < $1.id }
    }

    package func labelNames(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String] {
        let compiled = try compile(matchers)
        var names: Set<String> = []
        for index in indexes(signal, in: range) { names.formUnion(index.labelNames(compiled)) }
        return names.sorted { $0.utf8Precedes($1) }
    }

    package func labelValues(
        _ name: String, _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String] {
        let compiled = try compile(matchers)
        var values: Set<String> = []
        for index in indexes(signal, in: range) { values.formUnion(index.labelValues(name, compiled)) }
        return values.sorted { $0.utf8Precedes($1) }
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

    private func compile(_ matchers: [LabelMatcher]) throws(StoreError) -> [CompiledMatcher] {
        var compiled: [CompiledMatcher] = []
        for matcher in matchers { compiled.append(try CompiledMatcher(matcher)) }
        return compiled
    }

    /// The indexes of the days that meet the range, oldest first.
    private func indexes(_ signal: Signal, in range: TimeRange) -> [DayIndex] {
        if range.isEmpty { return [] }
        let now = options.time.nanoseconds
        return self[signal].snapshot(range).days.map { day in
            day.index.touch(now)
            return day.index
        }
    }
}
