import Query
import Telemetry

/// The windows that a range vector's steps see: open at the old end, closed at the new one.
struct RangeWindows: Sendable {
    var ends: Steps
    /// Milliseconds.
    var length: Int64
    var boundary: PromQLExpression.Boundary
    /// How old a sample may be to stand for a window's end, in milliseconds.
    var lookback: Int64 = 0

    /// How far beyond the windows samples are looked at, before and after.
    var reach: (before: Int64, after: Int64) {
        switch boundary {
        case .extrapolated: (0, 0)
        case .anchored: (lookback, 0)
        case .smoothed: (lookback, lookback)
        }
    }
}

/// One step's part of a series, as a range function sees it.
struct RangeWindow {
    let times: UnsafeBufferPointer<Int64>
    let values: UnsafeBufferPointer<Double>
    let histogramTimes: UnsafeBufferPointer<Int64>
    let histograms: UnsafeBufferPointer<NativeHistogram>
    /// As long as the times, or empty where no start is known.
    let starts: UnsafeBufferPointer<Int64>
    let histogramStarts: UnsafeBufferPointer<Int64>
    /// Milliseconds; the window is (start, end].
    let start: Int64
    let end: Int64
    /// The instant of evaluation: differs from `end` by the modifiers.
    let evaluationTime: Int64
    let step: Int

    var length: Int64 { end - start }
    var isMixed: Bool { !values.isEmpty && !histograms.isEmpty }
    var count: Int { values.count + histograms.count }

    /// Of the samples before the window only the last, which it is anchored to; nil where nothing lies within the window itself.
    var anchored: RangeWindow? {
        let float = times.firstIndex { $0 > start } ?? times.count
        let native = histogramTimes.firstIndex { $0 > start } ?? histogramTimes.count
        if float == times.count && native == histogramTimes.count { return nil }
        let floatTime = float > 0 ? times[float - 1] : Int64.min
        let nativeTime = native > 0 ? histogramTimes[native - 1] : Int64.min
        let firstFloat = float > 0 && floatTime >= nativeTime ? float - 1 : float
        let firstNative = native > 0 && nativeTime > floatTime ? native - 1 : native
        return RangeWindow(
            times: UnsafeBufferPointer(rebasing: times[firstFloat...]), values: UnsafeBufferPointer(rebasing: values[firstFloat...]),
            histogramTimes: UnsafeBufferPointer(rebasing: histogramTimes[firstNative...]),
            histograms: UnsafeBufferPointer(rebasing: histograms[firstNative...]),
            starts: starts.isEmpty ? starts : UnsafeBufferPointer(rebasing: starts[firstFloat...]),
            histogramStarts: histogramStarts.isEmpty ? histogramStarts : UnsafeBufferPointer(rebasing: histogramStarts[firstNative...]),
            start: start, end: end, evaluationTime: evaluationTime, step: step)
    }
}

/// A range function's result at one step.
struct RangePoint {
    var value = Absent.value
    var histogram: NativeHistogram?
}

extension RawSeries {
    /// Calls `body` for each step with the samples in its window and within its reach, unless there are none.
    func forEachWindow(
        _ windows: RangeWindows, _ steps: Steps, _ body: (RangeWindow) throws(QueryError) -> Void
    ) throws(QueryError) {
        // SAFETY: the buffers live as long as the arrays, which this call holds; no window leaves `body`.
        let result: Result<Void, QueryError> = times.withUnsafeBufferPointer { times in
            values.withUnsafeBufferPointer { values in
                histogramTimes.withUnsafeBufferPointer { histogramTimes in
                    histograms.withUnsafeBufferPointer { histograms in
                        starts.withUnsafeBufferPointer { starts in
                            histogramStarts.withUnsafeBufferPointer { histogramStarts in
                                let reach = windows.reach
                                var floats = WindowBounds()
                                var natives = WindowBounds()
                                for step in 0..<steps.count {
                                    let end = windows.ends.time(step)
                                    let start = end - windows.length
                                    floats.move(times, start - reach.before, end + reach.after)
                                    natives.move(histogramTimes, start - reach.before, end + reach.after)
                                    if floats.isEmpty && natives.isEmpty { continue }
                                    let window = RangeWindow(
                                        times: UnsafeBufferPointer(rebasing: times[floats.range]),
                                        values: UnsafeBufferPointer(rebasing: values[floats.range]),
                                        histogramTimes: UnsafeBufferPointer(rebasing: histogramTimes[natives.range]),
                                        histograms: UnsafeBufferPointer(rebasing: histograms[natives.range]),
                                        starts: starts.isEmpty
                                            ? starts : UnsafeBufferPointer(rebasing: starts[floats.range]),
                                        histogramStarts: histogramStarts.isEmpty
                                            ? histogramStarts
                                            : UnsafeBufferPointer(rebasing: histogramStarts[natives.range]),
                                        start: start, end: end, evaluationTime: steps.time(step), step: step)
                                    do throws(QueryError) { try body(window) } catch { return .failure(error) }
                                }
                                return .success(())
                            }
                        }
                    }
                }
            }
        }
        try result.get()
    }
}

/// The samples of a window among a series' samples; it only moves forward.
struct WindowBounds {
    private var low = 0
    private var high = 0

    var isEmpty: Bool { low == high }
    var range: Range<Int> { low..<high }

    /// Moves to the samples with `start` < time ≤ `end`. Neither may be less than in the call before.
    @inline(__always)
    mutating func move(_ times: UnsafeBufferPointer<Int64>, _ start: Int64, _ end: Int64) {
        while high < times.count, times[high] <= end { high += 1 }
        while low < high, times[low] <= start { low += 1 }
    }
}
