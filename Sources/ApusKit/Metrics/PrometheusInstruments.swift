import Synchronization

/// A number that only grows.
package final class PrometheusCounter: PrometheusInstrument {
    private let value = Mutex(0.0)

    init() {}

    /// Negative amounts are ignored: a counter that falls would be read as a restart.
    package func increment(by amount: Double) {
        guard amount > 0 else { return }
        value.withLock { $0 += amount }
    }

    package func increment(by amount: Int64) { increment(by: Double(amount)) }

    package func increment() { increment(by: 1.0) }

    package func reset() { value.withLock { $0 = 0 } }

    package var current: Double { value.withLock { $0 } }
}

/// A number that goes up and down.
package final class PrometheusGauge: PrometheusInstrument {
    private let value = Mutex(0.0)

    init() {}

    package func set(_ new: Double) { value.withLock { $0 = new } }

    package func add(_ amount: Double) { value.withLock { $0 += amount } }

    package var current: Double { value.withLock { $0 } }
}

/// Counts of values by size, with the trace of the last value in each bucket.
package final class PrometheusHistogram: PrometheusInstrument {
    /// A trace that shows what a bucket's values are like.
    struct Exemplar: Sendable {
        var traceID: TraceID
        var value: Double
        var nanoseconds: UInt64
    }

    struct State: Sendable {
        /// One more than there are bounds: the last is +Inf. Not cumulative.
        var counts: [UInt64]
        var exemplars: [Exemplar?]
        var sum = 0.0
    }

    /// Half a millisecond to ten seconds, as a request may take.
    package static let secondsBuckets = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    /// For values of which nothing is known: powers of four.
    package static let plainBuckets: [Double] = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1_048_576]

    let bounds: [Double]
    private let state: Mutex<State>

    init(buckets: [Double]) {
        bounds = buckets
        state = Mutex(
            State(
                counts: Array(repeating: 0, count: buckets.count + 1),
                exemplars: Array(repeating: nil, count: buckets.count + 1)))
    }

    /// - Parameter traceID: the trace in which it happened, if that one is kept.
    package func observe(_ value: Double, traceID: TraceID? = nil) {
        guard !value.isNaN else { return }
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        let exemplar = traceID.map { Exemplar(traceID: $0, value: value, nanoseconds: wallClockNanoseconds()) }
        state.withLock { state in
            state.counts[index] &+= 1
            state.sum += value
            if let exemplar { state.exemplars[index] = exemplar }
        }
    }

    var current: State { state.withLock { $0 } }

    func reset() {
        state.withLock { state in
            state = State(
                counts: Array(repeating: 0, count: bounds.count + 1),
                exemplars: Array(repeating: nil, count: bounds.count + 1))
        }
    }
}
