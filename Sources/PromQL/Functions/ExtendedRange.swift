import Query
import Telemetry

/// `anchored` and `smoothed` ranges: a window's ends have values of their own, so that nothing is extrapolated (Prometheus,
/// `extendedRate` and `extendedHistogramRate`).
struct ExtendedRange: Sendable {
    /// Between the samples around an end of the window its value lies on the line between them; otherwise the sample before it stands there.
    private let isSmoothed: Bool
    private let isCounter: Bool
    private let isRate: Bool

    /// What those ranges do for a function: `rate`, `increase` and `delta`; nil: it sees the samples, the one before the window among them.
    ///
    /// - Throws: ``QueryError`` for a function that they do not go with.
    init?(_ name: String, _ boundary: PromQLExpression.Boundary) throws(QueryError) {
        let rates = ["delta", "increase", "rate"]
        let allowed = boundary == .anchored ? (rates + ["changes", "resets"]).sorted() : rates
        guard boundary == .extrapolated || allowed.contains(name) else {
            let list = allowed.joined(separator: ", ")
            throw QueryError(.execution, "\(boundary.rawValue) modifier can only be used with: \(list) - not with \(name)")
        }
        guard boundary != .extrapolated, rates.contains(name) else { return nil }
        isSmoothed = boundary == .smoothed
        isCounter = name != "delta"
        isRate = name == "rate"
    }

    /// - Parameter window: with the samples around it that may stand for its ends.
    func evaluate(_ window: RangeWindow, _ call: RangeCall) -> RangePoint {
        if window.isMixed {
            call.annotations.mixedFloatsAndHistograms(call.metricName, at: call.place)
            return .none
        }
        if window.histograms.isEmpty { return floats(window).map { RangePoint($0) } ?? .none }
        do throws(IncompatibleBuckets) {
            return try histograms(window, call).map { RangePoint($0) } ?? .none
        } catch {
            call.annotations.mixedSchemas(call.metricName, at: call.place)
            return .none
        }
    }

    /// The samples that stand for the window's ends.
    private func ends(_ times: UnsafeBufferPointer<Int64>, _ window: RangeWindow) -> ClosedRange<Int>? {
        var last = times.count - 1
        let inner = times[..<last]
        let first = max(0, (inner.firstIndex { $0 > window.start } ?? last) - 1)
        if isSmoothed { last = inner.firstIndex { $0 >= window.end } ?? last }
        guard times[last] > window.start, first <= last, !isSmoothed || times[first] <= window.end else { return nil }
        return first...last
    }

    // MARK: Floats

    private func floats(_ window: RangeWindow) -> Double? {
        let (times, values) = (window.times, window.values)
        guard let ends = ends(times, window) else { return nil }
        let (first, last) = (ends.lowerBound, ends.upperBound)
        let left = isSmoothed && times[first] < window.start ? between(window, first, window.start) : values[first]
        let right = isSmoothed && last > 0 && times[last] > window.end ? between(window, last - 1, window.end) : values[last]
        var change = right - left
        if isCounter {
            var previous = left
            for index in ends where times[index] > window.start && times[index] < window.end {
                if values[index] < previous { change += previous }
                previous = values[index]
            }
            if right < previous { change += previous }
        }
        return isRate ? change / (Double(window.length) / 1000) : change
    }

    /// The value on the line between a sample and the next; of a counter that was reset in between, from zero.
    private func between(_ window: RangeWindow, _ index: Int, _ time: Int64) -> Double {
        let (from, to) = (window.values[index], window.values[index + 1])
        let start = isCounter && to < from ? 0 : from
        return start + (to - start) * window.times.share(of: time, after: index)
    }

    /// The window's first and last value and the samples in between: what a query for the range alone shows.
    static func points(_ window: RangeWindow, _ boundary: PromQLExpression.Boundary) throws(QueryError) -> [(time: Int64, value: Double)] {
        guard window.histograms.isEmpty else {
            throw QueryError(.execution, "\(boundary.rawValue) modifier is not supported with histograms")
        }
        guard let range = try ExtendedRange("delta", boundary), let ends = range.ends(window.times, window) else { return [] }
        let (first, last) = (ends.lowerBound, ends.upperBound)
        let (times, values) = (window.times, window.values)
        let left = range.isSmoothed && times[first] < window.start ? range.between(window, first, window.start) : values[first]
        let right =
            range.isSmoothed && last > 0 && times[last] > window.end ? range.between(window, last - 1, window.end) : values[last]
        let inner = ends.filter { times[$0] > window.start && times[$0] < window.end }.map { (time: times[$0], value: values[$0]) }
        return [(window.start, left)] + inner + [(window.end, right)]
    }

    // MARK: Histograms

    private func histograms(_ window: RangeWindow, _ call: RangeCall) throws(IncompatibleBuckets) -> NativeHistogram? {
        let (times, histograms) = (window.histogramTimes, window.histograms)
        guard let ends = ends(times, window) else { return nil }
        let (first, last) = (ends.lowerBound, ends.upperBound)
        for index in ends {
            if histograms[index].usesCustomBounds != histograms[first].usesCustomBounds { throw IncompatibleBuckets() }
            if isCounter, histograms[index].resetHint == .gauge { call.annotations.notACounter(call.metricName, at: call.place) }
        }
        func edge(_ index: Int, _ time: Int64) throws(IncompatibleBuckets) -> NativeHistogram {
            try histograms[index].interpolated(
                to: histograms[index + 1], share: times.share(of: time, after: index), isCounter: isCounter, call.annotations, call.place)
        }
        let isBetween = isSmoothed && times[first] < window.start
        let left = isBetween ? try edge(first, window.start) : histograms[first]
        let right = isSmoothed && last > 0 && times[last] > window.end ? try edge(last - 1, window.end) : histograms[last]
        if !isCounter, left.resetHint != .gauge || right.resetHint != .gauge {
            call.annotations.notAGauge(call.metricName, at: call.place)
        }
        var change = right
        if try change.subtract(left).boundsReconciled { call.annotations.reconciledBounds(during: "subtraction", at: call.place) }
        if isCounter {
            var (next, previous) = (first + 1, left)
            if isBetween, histograms[next].isReset(after: histograms[first]) {
                // The value at the left end has gone through that reset already.
                previous = histograms[next]
                next += 1
            }
            func correct(_ histogram: NativeHistogram) throws(IncompatibleBuckets) {
                guard histogram.isReset(after: previous) else { return }
                if try change.add(previous).boundsReconciled { call.annotations.reconciledBounds(during: "addition", at: call.place) }
            }
            // The last sample is `right`, or has its hint: it is not compared with itself.
            if next <= last {
                for index in next..<last {
                    try correct(histograms[index])
                    previous = histograms[index]
                }
                try correct(right)
            }
        }
        if isRate { change = change.divided(by: Double(window.length) / 1000) }
        change.resetHint = .gauge
        return change
    }
}

extension UnsafeBufferPointer<Int64> {
    /// How far an instant lies on the way from a time to the next one.
    func share(of time: Int64, after index: Int) -> Double {
        Double(time - self[index]) / Double(self[index + 1] - self[index])
    }
}

extension NativeHistogram {
    /// The histogram on the line to a later one; of a counter that was reset in between, from nothing.
    func interpolated(
        to next: NativeHistogram, share: Double, isCounter: Bool, _ annotations: Annotations, _ place: SourceRange
    ) throws(IncompatibleBuckets) -> NativeHistogram {
        if share == 0 { return self }
        if share == 1 { return next }
        if isCounter, next.isReset(after: self) { return next.scaled(by: share) }
        var result = next
        if try result.subtract(self).boundsReconciled { annotations.reconciledBounds(during: "subtraction", at: place) }
        result = result.scaled(by: share)
        if try result.add(self).boundsReconciled { annotations.reconciledBounds(during: "addition", at: place) }
        return result
    }
}
