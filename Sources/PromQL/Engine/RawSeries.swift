import Query
import Telemetry

/// The samples of one series as a store holds them; floats and histograms apart, each in the order of time.
struct RawSeries: Sendable {
    var labels: Labels
    var dropsName = false
    var times: [Int64] = []
    var values: [Double] = []
    var histogramTimes: [Int64] = []
    var histograms: [NativeHistogram] = []
    /// Since when each sample counts, where that is known of any: as many as ``times`` and ``histogramTimes``, 0 for unknown.
    var starts: [Int64] = []
    var histogramStarts: [Int64] = []

    init(labels: Labels) {
        self.labels = labels
    }

    /// The samples of an evaluated series, as a subquery sees them.
    init(_ series: Series, _ steps: Steps) {
        labels = series.labels
        dropsName = series.dropsName
        guard let points = series.points(steps) else { return }
        times = points.timestamps
        values = points.values
        histogramTimes = points.histogramTimestamps
        histograms = points.histograms
        // Samples of a subquery need not follow each other: whether there was a reset shows only when they are compared.
        for index in histograms.indices where histograms[index].resetHint != .gauge {
            histograms[index].resetHint = .unknown
        }
    }

    var metricName: String { labels[Labels.metricName] ?? "" }
    var isEmpty: Bool { times.isEmpty && histogramTimes.isEmpty }
}

extension Evaluator {
    /// Reads the samples of a selector's series within `range` and hands them over, series by series.
    ///
    /// - Parameter keepsStale: staleness markers come too (as floats).
    func load(
        _ selector: PromQLExpression.VectorSelector, in range: TimeRange, keepsStale: Bool,
        _ body: (inout RawSeries) throws(QueryError) -> Void
    ) async throws(QueryError) {
        let streams = try await streams(selector, in: range)
        try await load(selector, streams, in: range, keepsStale: keepsStale, body)
    }

    /// The streams of a selector.
    func streams(
        _ selector: PromQLExpression.VectorSelector, in range: TimeRange
    ) async throws(QueryError) -> [TelemetryStream] {
        guard !range.isEmpty else { return [] }
        do { return try await store.streams(.metrics, matching: selector.matchers, in: range) } catch {
            throw QueryError(storage: error)
        }
    }

    /// Reads the samples of some of a selector's streams.
    func load(
        _ selector: PromQLExpression.VectorSelector, _ streams: [TelemetryStream], in range: TimeRange, keepsStale: Bool,
        _ body: (inout RawSeries) throws(QueryError) -> Void
    ) async throws(QueryError) {
        guard !streams.isEmpty else { return }
        var current = RawSeries(labels: .empty)
        var currentID: StreamID?
        var withHistograms: [RawSeries] = []
        var histogramStreams: [TelemetryStream] = []

        func finish() throws {
            guard let currentID, !current.isEmpty else { return }
            if current.histograms.isEmpty {
                try body(&current)
            } else {
                withHistograms.append(current)
                histogramStreams.append(TelemetryStream(id: currentID, labels: current.labels))
            }
        }
        try await scan(ScanRequest(signal: .metrics, streams: streams, range: range, columns: .values)) { block in
            try self.context.check()
            try self.context.read(samples: block.count)
            if block.stream.id != currentID {
                try finish()
                current = RawSeries(labels: block.stream.labels)
                currentID = block.stream.id
            }
            current.append(block, keepsStale: keepsStale)
            return .continue
        }
        do { try finish() } catch { throw QueryError(scan: error) }
        guard !withHistograms.isEmpty else { return }
        let before = try await histogramsBefore(range, histogramStreams)
        for (index, var series) in withHistograms.enumerated() {
            series.deriveResetHints(after: before[histogramStreams[index].id], isExact: selector.readsStatisticsOnly)
            try body(&series)
        }
    }

    /// The last histogram of each stream in the hour before `range`: whether the first one in the range goes on from it.
    private func histogramsBefore(_ range: TimeRange, _ streams: [TelemetryStream]) async throws(QueryError)
        -> [StreamID: NativeHistogram]
    {
        var found: [StreamID: NativeHistogram] = [:]
        let earlier = TimeRange(range.start - 3_600_000, range.start - 1)
        try await scan(ScanRequest(signal: .metrics, streams: streams, range: earlier, columns: .values)) { block in
            if case .histograms(let histograms) = block.columns, let last = histograms.last, !last.isStale {
                found[block.stream.id] = last
            } else {
                found[block.stream.id] = nil
            }
            return .continue
        }
        return found
    }

    /// Scans the store.
    func scan(_ request: ScanRequest, _ body: (Block) throws -> ScanControl) async throws(QueryError) {
        var request = request
        request.statistics = plan?.scan
        do { try await store.scan(request, body) } catch { throw QueryError(scan: error) }
    }
}

extension QueryError {
    init(storage error: StoreError) {
        self.init(error.code == .invalidPattern ? .execution : .storage, error.description)
    }

    /// What came out of a scan.
    init(scan error: any Error) {
        switch error {
        case let error as QueryError: self = error
        case let error as StoreError: self.init(storage: error)
        case is CancellationError: self.init(.cancelled, "query was canceled")
        default: self.init(.storage, "\(error)")
        }
    }
}

extension RawSeries {
    fileprivate mutating func append(_ block: Block, keepsStale: Bool) {
        if !block.startTimes.isEmpty || !starts.isEmpty || !histogramStarts.isEmpty {
            appendStarts(block, keepsStale: keepsStale)
        }
        switch block.columns {
        case .floats(let floats):
            if keepsStale || !floats.contains(where: Staleness.isMarker) {
                if times.isEmpty {
                    (times, values) = (block.timestamps, floats)
                } else {
                    times += block.timestamps
                    values += floats
                }
                return
            }
            for (time, value) in zip(block.timestamps, floats) where !Staleness.isMarker(value) {
                times.append(time)
                values.append(value)
            }
        case .histograms(let rows):
            for (time, histogram) in zip(block.timestamps, rows) {
                if !histogram.isStale {
                    histogramTimes.append(time)
                    histograms.append(histogram)
                } else if keepsStale {
                    times.append(time)
                    values.append(Staleness.marker)
                }
            }
        case .logs, .spans, .profiles, .timestampsOnly: break
        }
    }

    /// Keeps the start times in step with the samples that ``append(_:keepsStale:)`` is about to add.
    private mutating func appendStarts(_ block: Block, keepsStale: Bool) {
        starts += Array(repeating: 0, count: times.count - starts.count)
        histogramStarts += Array(repeating: 0, count: histogramTimes.count - histogramStarts.count)
        for row in 0..<block.count {
            let start = row < block.startTimes.count ? block.startTimes[row] : 0
            switch block.columns {
            case .floats(let values):
                if keepsStale || !Staleness.isMarker(values[row]) { starts.append(start) }
            case .histograms(let values):
                if !values[row].isStale { histogramStarts.append(start) } else if keepsStale { starts.append(0) }
            case .logs, .spans, .profiles, .timestampsOnly: break
            }
        }
    }

    /// Works out what is known of counter resets from the samples themselves, as Prometheus' storage does: "not reset" where a
    /// histogram simply goes on from the one before it.
    ///
    /// - Parameter isExact: say "reset" too, where the comparison shows one.
    fileprivate mutating func deriveResetHints(after before: NativeHistogram?, isExact: Bool) {
        var previous = before
        var float = 0
        for index in histograms.indices {
            let time = histogramTimes[index]
            // A float or a staleness marker in between breaks the sequence.
            var isBroken = false
            while float < times.count, times[float] < time {
                if index == 0 || times[float] > histogramTimes[index - 1] { isBroken = true }
                float += 1
            }
            let original = histograms[index]
            if original.resetHint != .gauge {
                if !isBroken, let last = previous, last.resetHint != .gauge, original.resetHint != .reset,
                    original.continues(last)
                {
                    histograms[index].resetHint = .notReset
                } else {
                    histograms[index].resetHint = .unknown
                }
                if isExact, index > 0, histograms[index].resetHint == .unknown, let last = previous {
                    histograms[index].resetHint = original.isReset(after: last) ? .reset : .notReset
                }
            }
            previous = original
        }
    }
}
