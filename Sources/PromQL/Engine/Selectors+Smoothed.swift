import Query
import Telemetry

extension Evaluator {
    /// `smoothed` selectors: between the samples around an instant the value on the line between them; after the last one its own
    /// (Prometheus, `smoothSeries`).
    func smooth(_ raw: RawSeries, _ instants: Steps, _ place: SourceRange, into series: inout Series) throws(QueryError) {
        // Both samples may be as far away as the lookback.
        let windows = RangeWindows(ends: instants, length: 0, boundary: .smoothed, lookback: options.lookback)
        try raw.forEachWindow(windows, instants) { window throws(QueryError) in
            if window.isMixed {
                self.annotations.mixedFloatsAndHistograms(raw.metricName, at: place)
            } else if window.histograms.isEmpty {
                if let value = Self.smoothedFloat(window) { series.values[window.step] = value }
            } else {
                do throws(IncompatibleBuckets) {
                    series.set(try self.smoothedHistogram(window, place), at: window.step)
                } catch {
                    self.annotations.mixedSchemas(raw.metricName, at: place)
                }
            }
        }
    }

    private static func smoothedFloat(_ window: RangeWindow) -> Double? {
        let next = window.times.firstIndex { $0 >= window.end } ?? window.times.count
        if next < window.times.count, window.times[next] == window.end { return window.values[next] }
        guard next > 0 else { return nil }
        let before = window.values[next - 1]
        guard next < window.times.count else { return before }
        return before + (window.values[next] - before) * window.times.share(of: window.end, after: next - 1)
    }

    private func smoothedHistogram(_ window: RangeWindow, _ place: SourceRange) throws(IncompatibleBuckets) -> NativeHistogram? {
        let (times, histograms) = (window.histogramTimes, window.histograms)
        let next = times.firstIndex { $0 >= window.end } ?? times.count
        if next < times.count, times[next] == window.end { return histograms[next] }
        guard next > 0 else { return nil }
        var before = histograms[next - 1]
        guard next < times.count else {
            // The hint tells of the sample before, not of the value.
            before.resetHint = .unknown
            return before
        }
        if before.usesCustomBounds != histograms[next].usesCustomBounds { throw IncompatibleBuckets() }
        let isCounter = before.resetHint != .gauge || histograms[next].resetHint != .gauge
        return try before.interpolated(
            to: histograms[next], share: times.share(of: window.end, after: next - 1), isCounter: isCounter, annotations, place)
    }
}
