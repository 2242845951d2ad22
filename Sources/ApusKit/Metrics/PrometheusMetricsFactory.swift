package import CoreMetrics

/// What swift-metrics is given: counters, meters, recorders and timers as Prometheus' counters, gauges and histograms.
///
/// A timer becomes a histogram in seconds, a recorder that aggregates a histogram, one that does not a gauge.
package struct PrometheusMetricsFactory: MetricsFactory {
    private let registry: PrometheusRegistry

    package init(registry: PrometheusRegistry) {
        self.registry = registry
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        CounterAdapter(counter: registry.counter(label, labels: dimensions))
    }

    package func makeFloatingPointCounter(label: String, dimensions: [(String, String)])
        -> any FloatingPointCounterHandler
    {
        CounterAdapter(counter: registry.counter(label, labels: dimensions))
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        GaugeAdapter(gauge: registry.gauge(label, labels: dimensions))
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate {
            return HistogramAdapter(
                histogram: registry.histogram(label, labels: dimensions, buckets: PrometheusHistogram.plainBuckets))
        }
        return GaugeAdapter(gauge: registry.gauge(label, labels: dimensions))
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        HistogramAdapter(histogram: registry.histogram(MetricName.timer(label), labels: dimensions))
    }

    package func destroyCounter(_ handler: any CounterHandler) { destroy((handler as? CounterAdapter)?.counter) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {
        destroy((handler as? CounterAdapter)?.counter)
    }
    package func destroyMeter(_ handler: any MeterHandler) { destroy((handler as? GaugeAdapter)?.gauge) }
    package func destroyRecorder(_ handler: any RecorderHandler) {
        destroy((handler as? GaugeAdapter)?.gauge ?? (handler as? HistogramAdapter)?.histogram)
    }
    package func destroyTimer(_ handler: any TimerHandler) { destroy((handler as? HistogramAdapter)?.histogram) }

    private func destroy(_ instrument: (any PrometheusInstrument)?) {
        if let instrument { registry.remove(instrument) }
    }
}

private final class CounterAdapter: CounterHandler, FloatingPointCounterHandler {
    let counter: PrometheusCounter

    init(counter: PrometheusCounter) { self.counter = counter }

    func increment(by amount: Int64) { counter.increment(by: amount) }
    func increment(by amount: Double) { counter.increment(by: amount) }
    func reset() { counter.reset() }
}

private final class GaugeAdapter: MeterHandler, RecorderHandler {
    let gauge: PrometheusGauge

    init(gauge: PrometheusGauge) { self.gauge = gauge }

    func set(_ value: Int64) { gauge.set(Double(value)) }
    func set(_ value: Double) { gauge.set(value) }
    func increment(by amount: Double) { gauge.add(amount) }
    func decrement(by amount: Double) { gauge.add(-amount) }
    func record(_ value: Int64) { gauge.set(Double(value)) }
    func record(_ value: Double) { gauge.set(value) }
}

private final class HistogramAdapter: TimerHandler, RecorderHandler {
    let histogram: PrometheusHistogram

    init(histogram: PrometheusHistogram) { self.histogram = histogram }

    func recordNanoseconds(_ duration: Int64) { histogram.observe(Double(duration) / 1e9) }
    func record(_ value: Int64) { histogram.observe(Double(value)) }
    func record(_ value: Double) { histogram.observe(value) }
}
