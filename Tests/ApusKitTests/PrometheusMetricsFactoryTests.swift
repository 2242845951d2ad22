import ApusKit
import CoreMetrics
import Testing

@Suite("PrometheusMetricsFactory")
struct PrometheusMetricsFactoryTests {
    @Test("swift-metrics' instruments become Prometheus'")
    func instruments() {
        let registry = PrometheusRegistry()
        let factory = PrometheusMetricsFactory(registry: registry)
        Counter(label: "cache.hits", dimensions: [("cache", "a")], factory: factory).increment(by: 2)
        FloatingPointCounter(label: "joules", factory: factory).increment(by: 0.5)
        Gauge(label: "queue-length", factory: factory).record(7)
        Meter(label: "connections", factory: factory).increment(by: 3)
        CoreMetrics.Timer(label: "render.time", factory: factory).recordMilliseconds(20)
        Recorder(label: "batch.size", factory: factory).record(5)
        let text = PrometheusText.write(registry, as: .text)
        for line in [
            "cache_hits_total{cache=\"a\"} 2", "joules_total 0.5", "queue_length 7", "connections 3",
            "render_time_seconds_bucket{le=\"0.01\"} 0",
            "render_time_seconds_bucket{le=\"0.025\"} 1", "render_time_seconds_sum 0.02",
            "batch_size_bucket{le=\"16\"} 1", "batch_size_count 1",
        ] {
            #expect(text.contains(line + "\n"), "\(line) is missing in:\n\(text)")
        }
    }

    @Test("an instrument that is destroyed is no longer shown")
    func destroyed() {
        let registry = PrometheusRegistry()
        let counter = Counter(label: "gone", factory: PrometheusMetricsFactory(registry: registry))
        counter.increment()
        #expect(PrometheusText.write(registry, as: .text).contains("gone_total 1"))
        counter.destroy()
        #expect(!PrometheusText.write(registry, as: .text).contains("gone_total 1"))
    }
}
