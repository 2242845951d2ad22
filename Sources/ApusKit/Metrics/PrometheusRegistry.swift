import Synchronization

/// The metrics of a process, by family and label set.
package final class PrometheusRegistry: Sendable {
    /// More series than this are somebody's unbounded label: they are counted and not kept.
    static let seriesCountMax = 10_000

    private struct State {
        var families: [String: MetricFamily] = [:]
        var seriesCount = 0
        var droppedCount: UInt64 = 0
        /// Families made anew for each scrape, such as the process's.
        var collectors: [@Sendable () -> [MetricFamily]] = []
    }

    private let state = Mutex(State())

    package init() {}

    package func counter(_ name: String, labels: [(String, String)] = [], help: String = "") -> PrometheusCounter {
        instrument(MetricName.counter(name), kind: .counter, labels: labels, help: help) { PrometheusCounter() }
    }

    package func gauge(_ name: String, labels: [(String, String)] = [], help: String = "") -> PrometheusGauge {
        instrument(MetricName.sanitized(name), kind: .gauge, labels: labels, help: help) { PrometheusGauge() }
    }

    package func histogram(
        _ name: String, labels: [(String, String)] = [], help: String = "",
        buckets: [Double] = PrometheusHistogram.secondsBuckets
    ) -> PrometheusHistogram {
        instrument(MetricName.sanitized(name), kind: .histogram, labels: labels, help: help) {
            PrometheusHistogram(buckets: buckets)
        }
    }

    /// Adds families that are made anew for each scrape.
    func collect(_ collector: @escaping @Sendable () -> [MetricFamily]) {
        state.withLock { $0.collectors.append(collector) }
    }

    func remove(_ instrument: any PrometheusInstrument) {
        state.withLock { state in
            for name in state.families.keys {
                let count = state.families[name]?.remove(instrument) ?? 0
                state.seriesCount -= count
            }
        }
    }

    /// Everything, sorted by name, for one scrape.
    func snapshot() -> [MetricFamily] {
        var (families, collectors, dropped) = state.withLock {
            (Array($0.families.values), $0.collectors, $0.droppedCount)
        }
        for collector in collectors { families += collector() }
        if dropped > 0 {
            let counter = PrometheusCounter()
            counter.increment(by: Double(dropped))
            families.append(
                MetricFamily(
                    "apus_kit_series_dropped_total", .counter,
                    help: "Metrics refused: too many series, or a name used for two kinds.", counter))
        }
        return families.sorted { $0.name < $1.name }
    }

    /// Finds the instrument of a name and label set or makes it. One that cannot be kept works all the same, unseen.
    private func instrument<Instrument: PrometheusInstrument>(
        _ name: String, kind: MetricFamily.Kind, labels: [(String, String)], help: String, make: () -> Instrument
    ) -> Instrument {
        let labels = LabelText(labels)
        return state.withLock { state in
            if let known = state.families[name]?.series[labels] {
                if let instrument = known as? Instrument { return instrument }
                state.droppedCount += 1
                return make()
            }
            let made = make()
            guard state.families[name]?.kind ?? kind == kind, state.seriesCount < Self.seriesCountMax else {
                state.droppedCount += 1
                return made
            }
            // In place: a copy of the family would be a copy of all its series.
            state.families[name, default: MetricFamily(name: name, kind: kind, help: help)].series[labels] = made
            state.seriesCount += 1
            return made
        }
    }
}
