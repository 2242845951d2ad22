package import Telemetry
private import Synchronization

/// Running totals of series that are sent as deltas, so that they can be kept as the cumulative series that PromQL expects.
///
/// It lives as long as the process: after a restart totals begin at zero, which `rate` takes for the counter reset it is.
package final class DeltaAccumulator: Sendable {
    /// Series beyond this are refused; those without points for an hour are forgotten first.
    package static let seriesCountMax = 200_000
    private static let idleNanosecondsMax: Int64 = 3_600_000_000_000

    private struct State {
        var sums: [Labels: (total: Double, time: Int64, start: Int64)] = [:]
        var histograms: [Labels: OTLPMetric.HistogramPoint] = [:]
        var exponentials: [Labels: OTLPMetric.ExponentialHistogramPoint] = [:]

        var count: Int { sums.count + histograms.count + exponentials.count }
        /// How many series were refused since idle ones were last looked for.
        var refusedCount = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Adds a delta and returns the total. A point of the time of the last one is the same point sent again: it is not added.
    ///
    /// - Parameters:
    ///   - time: the point's time in nanoseconds.
    ///   - start: since when it counts; the total counts since the first one's.
    /// - Returns: nil where a later point came before it, or where there are too many series.
    package func add(_ delta: Double, to series: Labels, at time: Int64, since start: Int64 = 0) -> (value: Double, start: Int64)? {
        state.withLock { state in
            guard let last = state.sums[series] else {
                guard Self.hasRoom(&state, at: time) else { return nil }
                state.sums[series] = (delta, time, start)
                return (delta, start)
            }
            if time == last.time { return (last.total, last.start) }
            guard time > last.time else { return nil }
            state.sums[series] = (last.total + delta, time, last.start)
            return (last.total + delta, last.start)
        }
    }

    /// Adds a histogram's delta and returns the total. Other bounds than before begin a new total.
    func add(_ delta: OTLPMetric.HistogramPoint, to series: Labels) -> OTLPMetric.HistogramPoint? {
        state.withLock { state in
            guard var total = state.histograms[series] else {
                guard Self.hasRoom(&state, at: delta.head.time) else { return nil }
                state.histograms[series] = delta
                return delta
            }
            guard delta.head.time >= total.head.time else { return nil }
            if delta.head.time > total.head.time {
                if total.bounds == delta.bounds, total.bucketCounts.count == delta.bucketCounts.count {
                    for index in total.bucketCounts.indices { total.bucketCounts[index] &+= delta.bucketCounts[index] }
                    total.count &+= delta.count
                    total.sum = total.sum.flatMap { sum in delta.sum.map { sum + $0 } }
                    total.head.time = delta.head.time
                } else {
                    total = delta
                }
                total.exemplars = []
                state.histograms[series] = total
            }
            total.exemplars = delta.exemplars
            return total
        }
    }

    /// Adds an exponential histogram's delta and returns the total, in the coarser of the two resolutions.
    func add(_ delta: OTLPMetric.ExponentialHistogramPoint, to series: Labels) -> OTLPMetric.ExponentialHistogramPoint? {
        state.withLock { state in
            guard var total = state.exponentials[series] else {
                guard Self.hasRoom(&state, at: delta.head.time) else { return nil }
                state.exponentials[series] = delta
                return delta
            }
            guard delta.head.time >= total.head.time else { return nil }
            if delta.head.time > total.head.time {
                total.add(delta)
                total.head.time = delta.head.time
                total.exemplars = []
                state.exponentials[series] = total
            }
            total.exemplars = delta.exemplars
            return total
        }
    }

    /// Whether one more series may be kept; forgets idle ones where there is no room.
    private static func hasRoom(_ state: inout State, at time: Int64) -> Bool {
        guard state.count >= seriesCountMax else { return true }
        // Looking at all series for each one refused would take quadratic time.
        state.refusedCount += 1
        guard state.refusedCount % 10_000 == 1 else { return false }
        let oldest = time.subtractingReportingOverflow(idleNanosecondsMax).partialValue
        state.sums = state.sums.filter { $0.value.time >= oldest }
        state.histograms = state.histograms.filter { $0.value.head.time >= oldest }
        state.exponentials = state.exponentials.filter { $0.value.head.time >= oldest }
        return state.count < seriesCountMax
    }
}
