import Synchronization
package import Telemetry

/// A small store in memory with the exact meaning of ``TelemetryStore``: what test scripts and rule unit tests are evaluated
/// on, and the model that a real store is held against. No retention, no bounds, predicates are left to the reader.
package final class MemoryStore: TelemetryStore, StateStore {
    fileprivate struct State: Sendable {
        var streams: [Signal: [MemoryStream]] = [:]
        /// The position in ``streams`` by what makes a stream the same stream.
        var positions: [Signal: [MemoryStreamKey: Int]] = [:]
        var exemplars: [Labels: [Exemplar]] = [:]
        var metadata: [MetricMetadata] = []
        var rowsAppended: [Signal: UInt64] = [:]
        /// By namespace and key.
        var values: [String: [String: [UInt8]]] = [:]
        /// What every append says instead of taking anything.
        var refusal: StoreError?
    }

    private let state = Mutex(State())

    package init() {}

    /// Makes every append fail with `error`; nil: no more.
    package func refuse(_ error: StoreError?) {
        state.withLock { $0.refusal = error }
    }

    package func append(_ batch: consuming TelemetryBatch) async throws(StoreError) {
        let batch = batch
        if let refusal = state.withLock({ $0.refusal }) { throw refusal }
        state.withLock { state in
            state.append(batch.metrics)
            for stream in batch.logs.streams {
                let position = state.position(
                    .logs, MemoryStreamKey(labels: stream.labels, resource: nil), stream.labels, stream.resource)
                for entry in stream.entries { state.streams[.logs]?[position].insert(entry) }
                state.rowsAppended[.logs, default: 0] += UInt64(stream.entries.count)
            }
            for group in batch.spans.groups {
                let labels = group.resource.labels
                let position = state.position(
                    .spans, MemoryStreamKey(labels: labels, resource: group.resource), labels, group.resource)
                for span in group.spans { state.streams[.spans]?[position].insert(span) }
                state.rowsAppended[.spans, default: 0] += UInt64(group.spans.count)
            }
            for stream in batch.profiles.streams {
                let position = state.position(
                    .profiles, MemoryStreamKey(labels: stream.labels, resource: nil), stream.labels, stream.resource)
                for profile in stream.profiles { state.streams[.profiles]?[position].insert(profile) }
                state.rowsAppended[.profiles, default: 0] += UInt64(stream.profiles.count)
            }
            for change in batch.state { state.values[change.namespace, default: [:]][change.key] = change.value }
        }
    }

    package func value(_ key: String, in namespace: String) throws(StoreError) -> [UInt8]? {
        state.withLock { $0.values[namespace]?[key] }
    }

    package func values(in namespace: String) throws(StoreError) -> [String: [UInt8]] {
        state.withLock { $0.values[namespace] ?? [:] }
    }

    package func apply(_ changes: [StateChange]) throws(StoreError) {
        state.withLock { state in
            for change in changes { state.values[change.namespace, default: [:]][change.key] = change.value }
        }
    }

    package func streams(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange, limit: Int?
    ) async throws(StoreError) -> [TelemetryStream] {
        let test = try MatcherTest(matchers)
        let found = state.withLock { state in
            (state.streams[signal] ?? []).filter { test.holds($0.stream.labels) && $0.hasRow(in: range) }.map(\.stream)
        }
        return Array(found.prefix(limit ?? .max))
    }

    package func labelNames(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String] {
        var names: Set<String> = []
        for stream in try await streams(signal, matching: matchers, in: range) {
            names.formUnion(stream.labels.pairs.map(\.name))
        }
        return names.sorted { $0.utf8Precedes($1) }
    }

    package func labelValues(
        _ name: String, _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [String] {
        let streams = try await streams(signal, matching: matchers, in: range)
        return Set(streams.compactMap { $0.labels[name] }).sorted { $0.utf8Precedes($1) }
    }

    package func scan(_ request: ScanRequest, _ body: (Block) throws -> ScanControl) async throws {
        let streams = state.withLock { state in
            request.streams.compactMap { wanted in
                Int(exactly: wanted.id.value).flatMap { position in
                    let all = state.streams[request.signal] ?? []
                    return all.indices.contains(position) ? all[position] : nil
                }
            }
        }
        switch request.order {
        case .byStream:
            for stream in streams {
                for block in stream.blocks(stream.rows(in: request.range), columns: request.columns) {
                    try Task.checkCancellation()
                    guard try body(block) == .continue else { return }
                }
            }
        case .oldestFirst, .newestFirst:
            for block in Self.ordered(streams, request) {
                try Task.checkCancellation()
                guard try body(block) == .continue else { return }
            }
        }
    }

    /// Blocks in the order of time: a block is a run of rows of one stream that no row of another stream interrupts.
    private static func ordered(_ streams: [MemoryStream], _ request: ScanRequest) -> [Block] {
        let isNewestFirst = request.order == .newestFirst
        var rows: [(time: Int64, stream: Int, row: Int)] = []
        for (index, stream) in streams.enumerated() {
            for row in stream.rows(in: request.range) { rows.append((stream.timestamps[row], index, row)) }
        }
        // Ties by stream, then by row, so that rows of one stream and time stay together and in order.
        rows.sort { isNewestFirst ? ($0.time, $0.stream, $0.row) > ($1.time, $1.stream, $1.row) : $0 < $1 }
        var blocks: [Block] = []
        var start = 0
        while start < rows.count {
            var end = start + 1
            while end < rows.count, rows[end].stream == rows[start].stream { end += 1 }
            let first = min(rows[start].row, rows[end - 1].row)
            let horizon = end < rows.count ? rows[end].time : isNewestFirst ? Int64.min : Int64.max
            var cut = streams[rows[start].stream].blocks(first..<first + (end - start), columns: request.columns)
            if isNewestFirst { cut.reverse() }
            for index in cut.indices {
                cut[index].horizon =
                    index + 1 < cut.count
                    ? (isNewestFirst ? cut[index + 1].timestamps.last : cut[index + 1].timestamps.first) ?? horizon
                    : horizon
            }
            blocks += cut
            start = end
        }
        return blocks
    }

    package func exemplars(
        matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) -> [(series: Labels, exemplars: [Exemplar])] {
        let test = try MatcherTest(matchers)
        return state.withLock { state in
            state.exemplars.keys.filter(test.holds).sorted().compactMap { series in
                let exemplars = (state.exemplars[series] ?? []).filter { range.contains($0.timestamp) }.sorted {
                    $0.timestamp < $1.timestamp
                }
                return exemplars.isEmpty ? nil : (series: series, exemplars: exemplars)
            }
        }
    }

    package func metadata(family: String?) async throws(StoreError) -> [MetricMetadata] {
        state.withLock { state in state.metadata.filter { family == nil || $0.family == family } }
    }

    package func delete(
        _ signal: Signal, matching matchers: [LabelMatcher], in range: TimeRange
    ) async throws(StoreError) {
        let test = try MatcherTest(matchers)
        state.withLock { state in
            for position in state.streams[signal, default: []].indices {
                guard let labels = state.streams[signal]?[position].stream.labels, test.holds(labels) else { continue }
                state.streams[signal]?[position].remove(in: range)
                if signal == .metrics { state.exemplars[labels]?.removeAll { range.contains($0.timestamp) } }
            }
        }
    }

    package func statistics() async -> StoreStatistics {
        state.withLock { state in
            var statistics = StoreStatistics()
            for signal in Signal.allCases {
                let streams = state.streams[signal] ?? []
                var figures = StoreStatistics.SignalFigures()
                figures.streamCount = streams.count
                figures.rowsAppended = state.rowsAppended[signal] ?? 0
                figures.memtableRowCount = streams.reduce(0) { $0 + $1.timestamps.count }
                let (first, last) = (
                    streams.compactMap(\.timestamps.first).min(), streams.compactMap(\.timestamps.last).max()
                )
                if let first, let last { figures.range = TimeRange(first, last) }
                statistics.signals[signal] = figures
            }
            return statistics
        }
    }
}

extension MemoryStore.State {
    /// The position of a stream, which is made where it is new.
    fileprivate mutating func position(_ signal: Signal, _ key: MemoryStreamKey, _ labels: Labels, _ resource: Resource)
        -> Int
    {
        if let position = positions[signal]?[key] { return position }
        let position = streams[signal]?.count ?? 0
        let stream = TelemetryStream(id: StreamID(UInt64(position)), labels: labels, resource: resource)
        streams[signal, default: []].append(MemoryStream(stream: stream))
        positions[signal, default: [:]][key] = position
        return position
    }

    fileprivate mutating func append(_ batch: MetricBatch) {
        let table = batch.series.map { position(.metrics, MemoryStreamKey(labels: $0, resource: nil), $0, .unknown) }
        for row in 0..<batch.sampleCount {
            let position = table[Int(batch.sampleSeries[row])]
            streams[.metrics]?[position].set(batch.timestamps[row], float: batch.values[row])
        }
        for row in batch.histograms {
            streams[.metrics]?[table[Int(row.series)]].set(row.timestamp, histogram: row.histogram)
        }
        for row in batch.startTimes { streams[.metrics]?[table[Int(row.series)]].startTimes[row.timestamp] = row.start }
        for row in batch.exemplars {
            let series = batch.series[Int(row.series)]
            if exemplars[series]?.contains(row.exemplar) != true { exemplars[series, default: []].append(row.exemplar) }
        }
        for family in batch.metadata {
            metadata.removeAll { $0.family == family.family }
            metadata.append(family)
        }
        rowsAppended[.metrics, default: 0] += UInt64(batch.sampleCount + batch.histograms.count)
    }
}
