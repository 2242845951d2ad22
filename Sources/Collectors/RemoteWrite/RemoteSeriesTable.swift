import Synchronization
import Telemetry

/// The series of a queue as one remote gets them: external labels added and relabelled, once a series.
final class RemoteSeriesTable: SeriesDirectory {
    /// A cache: beyond so many series it starts anew.
    private static let countMax = 2_000_000

    struct Series: Sendable {
        /// nil: relabelling drops it.
        var labels: Labels?
        var hash: UInt64
    }

    private struct State: Sendable {
        var series: [Series] = []
        var numbers: [SeriesKey: UInt32] = [:]
    }

    let seed = SeriesKey.Seed.random()
    private let external: Labels
    private let rules: [RelabelRule]
    private let state = Mutex(State())

    init(external: Labels, rules: [RelabelRule]) {
        self.external = external
        self.rules = rules
    }

    func find(_ keys: [SeriesKey]) -> [SeriesHandle] {
        let numbers = state.withLock { $0.numbers }
        return keys.map { key in numbers[key].map { SeriesHandle($0) } ?? .unknown }
    }

    /// The series of a batch that was decoded with this table, by their index there.
    func series(of batch: MetricBatch) -> [(number: UInt32, series: Series)] {
        state.withLock { state in
            batch.handles.indices.map { index in
                let number =
                    if batch.handles[index] == .unknown {
                        enter(batch.series[index], batch.keys[index] ?? nil, &state)
                    } else {
                        batch.handles[index].value
                    }
                return (number, state.series[Int(number)])
            }
        }
    }

    /// Starts anew where there are too many; not while a batch is held whose handles come from here.
    func trim() {
        state.withLock { state in
            if state.series.count > Self.countMax { state = State() }
        }
    }

    private func enter(_ labels: Labels, _ key: SeriesKey?, _ state: inout State) -> UInt32 {
        if let key, let number = state.numbers[key] { return number }
        let number = UInt32(truncatingIfNeeded: state.series.count)
        let relabelled = relabel(labels)
        var hasher = FNV1a()
        for label in relabelled?.pairs ?? [] {
            hasher.combine(label.name)
            hasher.combine(label.value)
        }
        state.series.append(Series(labels: relabelled, hash: hasher.value))
        if let key { state.numbers[key] = number }
        return number
    }

    private func relabel(_ labels: Labels) -> Labels? {
        var result = labels
        for label in external.pairs where result[label.name] == nil { result[label.name] = label.value }
        guard RelabelRule.apply(rules, to: &result), !result.isEmpty else { return nil }
        return result
    }
}
