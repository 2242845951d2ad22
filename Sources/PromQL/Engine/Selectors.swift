import Query
import Telemetry

/// What is wanted of a selector's samples.
enum SamplePart: Sendable {
    case value
    /// Their time, in seconds.
    case time
    /// The time of floats, in milliseconds; histograms as they are.
    case floatTime
    /// Since when they count, in seconds; 0 where that is not known.
    case start
}

extension Evaluator {
    /// The value of a selector at each step: its series' last sample that is not older than the lookback.
    func instantVector(
        _ selector: PromQLExpression.VectorSelector, _ steps: Steps, giving part: SamplePart = .value
    ) async throws(QueryError) -> [Series] {
        try await instantVector(selector, at: instants(steps, at: selector.at, offset: selector.offset), giving: part)
    }

    /// The value of a selector at each of some instants, whatever its modifiers.
    func instantVector(
        _ selector: PromQLExpression.VectorSelector, at instants: Steps, giving part: SamplePart
    ) async throws(QueryError) -> [Series] {
        let lookback = options.lookback
        let reach = selector.boundary == .smoothed ? lookback : 0
        let range = TimeRange(instants.start - lookback + 1, instants.end + reach)
        let parts = try await inChunks(streams(selector, in: range), stepCount: instants.count) { chunk throws(QueryError) -> [Series] in
            var result: [Series] = []
            result.reserveCapacity(chunk.count)
            let isSmoothed = selector.boundary == .smoothed
            try await self.load(selector, chunk, in: range, keepsStale: !isSmoothed) { (raw: inout RawSeries) throws(QueryError) in
                try self.context.reserve(bytes: instants.count * 8)
                var series = Series(labels: raw.labels, stepCount: instants.count)
                if isSmoothed {
                    try self.smooth(raw, instants, selector.place, into: &series)
                } else {
                    Self.pickLast(raw, instants, lookback, part, into: &series)
                }
                if !series.isEmpty { result.append(series) }
            }
            return result
        }
        return parts.count == 1 ? parts[0] : Array(parts.joined())
    }

    private static func pickLast(
        _ raw: RawSeries, _ instants: Steps, _ lookback: Int64, _ part: SamplePart, into series: inout Series
    ) {
        if raw.histograms.isEmpty, part == .value {
            pickLastFloats(raw, instants, lookback, into: &series.values)
            return
        }
        var next = 0
        var nextHistogram = 0
        for step in 0..<instants.count {
            let time = instants.time(step)
            while next < raw.times.count, raw.times[next] <= time { next += 1 }
            while nextHistogram < raw.histogramTimes.count, raw.histogramTimes[nextHistogram] <= time {
                nextHistogram += 1
            }
            let floatTime = next > 0 ? raw.times[next - 1] : Int64.min
            let histogramTime = nextHistogram > 0 ? raw.histogramTimes[nextHistogram - 1] : Int64.min
            let last = max(floatTime, histogramTime)
            guard last > time - lookback else { continue }
            if floatTime >= histogramTime {
                let value = raw.values[next - 1]
                if Absent.holds(value) { continue }
                switch part {
                case .value: series.values[step] = value
                case .time: series.values[step] = Double(last) / 1000
                case .floatTime: series.values[step] = Double(last)
                case .start: series.values[step] = raw.starts.isEmpty ? 0 : Double(raw.starts[next - 1]) / 1000
                }
            } else {
                switch part {
                case .value, .floatTime: series.set(raw.histograms[nextHistogram - 1], at: step)
                case .time: series.values[step] = Double(last) / 1000
                case .start:
                    series.values[step] =
                        raw.histogramStarts.isEmpty ? 0 : Double(raw.histogramStarts[nextHistogram - 1]) / 1000
                }
            }
        }
    }

    /// The last sample at each instant that is not older than the lookback; staleness markers come through as what they are.
    static func pickLastFloats(
        _ raw: RawSeries, _ instants: Steps, _ lookback: Int64, into output: inout [Double]
    ) {
        // SAFETY: `next` stays within the samples, which are as many as times; no buffer outlives its call.
        raw.times.withUnsafeBufferPointer { times in
            raw.values.withUnsafeBufferPointer { values in
                output.withUnsafeMutableBufferPointer { output in
                    var next = 0
                    for step in 0..<instants.count {
                        let time = instants.time(step)
                        while next < times.count, times[next] <= time { next += 1 }
                        // A staleness marker comes through as what it is: absent.
                        if next > 0, times[next - 1] > time - lookback { output[step] = values[next - 1] }
                    }
                }
            }
        }
    }

    /// The samples of a range vector, series by series, with the windows that the steps see of them.
    ///
    /// - Parameter body: gets the samples of one series; the windows are ``RangeWindows``' for all.
    func rangeVector(
        _ expression: PromQLExpression, _ steps: Steps,
        _ body: (inout RawSeries, RangeWindows) throws(QueryError) -> Void
    ) async throws(QueryError) {
        switch expression.unwrapped {
        case .range(let node):
            let (windows, range) = try windows(node, steps)
            try await load(node.selector, in: range, keepsStale: false) { (raw: inout RawSeries) throws(QueryError) in
                try body(&raw, windows)
            }
        case .subquery(let node):
            let length = try milliseconds(node.range, isPositive: true)
            let ends = try instants(steps, at: node.at, offset: node.offset)
            let inner = try await subquery(node, ends, length)
            let windows = RangeWindows(ends: ends, length: length, boundary: .extrapolated)
            for series in inner.series {
                try context.check()
                var raw = RawSeries(series, inner.steps)
                if !raw.isEmpty { try body(&raw, windows) }
            }
        default:
            throw QueryError(.execution, "expected a range vector")
        }
    }

    /// The windows of a range vector, and the range of the samples that they see.
    func windows(
        _ node: PromQLExpression.RangeSelector, _ steps: Steps
    ) throws(QueryError) -> (windows: RangeWindows, range: TimeRange) {
        let length = try milliseconds(node.range, isPositive: true)
        let ends = try instants(steps, at: node.selector.at, offset: node.selector.offset)
        let windows = RangeWindows(ends: ends, length: length, boundary: node.selector.boundary, lookback: options.lookback)
        let reach = windows.reach
        return (windows, TimeRange(ends.start - length + 1 - reach.before, ends.end + reach.after))
    }

    /// A subquery's inner expression at all the steps that any window can see.
    private func subquery(
        _ node: PromQLExpression.Subquery, _ ends: Steps, _ length: Int64
    ) async throws(QueryError) -> (series: [Series], steps: Steps) {
        let step =
            try node.step.map { step throws(QueryError) in try milliseconds(step, isPositive: true) }
            ?? options.subqueryStep
        // The first multiple of the step that lies within the first window.
        let open = ends.start - length
        var start = step * (open / step)
        if start <= open { start += step }
        guard start <= ends.end else { return ([], Steps(start: start, step: step, count: 1)) }
        let count = (ends.end - start) / step + 1
        guard count <= Limits.subqueryStepCountMax else {
            throw QueryError(.limit, "query processing would load too many samples into memory in query execution")
        }
        let steps = Steps(start: start, step: step, count: Int(count))
        let series = try await vector(node.expression, steps)
        try context.read(samples: series.count * steps.count)
        return (series, steps)
    }

    /// The raw samples of a range vector at the query's only instant.
    func matrix(_ expression: PromQLExpression) async throws(QueryError) -> [SeriesPoints] {
        var result: [SeriesPoints] = []
        try await rangeVector(expression, query) { (raw: inout RawSeries, windows: RangeWindows) throws(QueryError) in
            let end = windows.ends.start
            let start = end - windows.length
            var points = SeriesPoints(
                labels: raw.dropsName ? raw.labels.withoutMetadata : raw.labels, timestamps: [], values: [])
            if windows.boundary != .extrapolated {
                try raw.forEachWindow(windows, query) { window throws(QueryError) in
                    for (time, value) in try ExtendedRange.points(window, windows.boundary) {
                        points.timestamps.append(time)
                        points.values.append(value)
                    }
                }
                if !points.timestamps.isEmpty { result.append(points) }
                return
            }
            for (time, value) in zip(raw.times, raw.values) where start < time && time <= end {
                points.timestamps.append(time)
                points.values.append(value)
            }
            for (time, histogram) in zip(raw.histogramTimes, raw.histograms) where start < time && time <= end {
                points.histogramTimestamps.append(time)
                points.histograms.append(histogram)
            }
            if !points.timestamps.isEmpty || !points.histograms.isEmpty { result.append(points) }
        }
        return result
    }
}
