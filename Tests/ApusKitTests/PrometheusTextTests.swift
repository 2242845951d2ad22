import ApusKit
import Testing

@Suite("PrometheusText")
struct PrometheusTextTests {
    /// The lines of the exposition that are about a metric.
    private func lines(_ registry: PrometheusRegistry, _ format: PrometheusText.Format, about name: String) -> [String]
    {
        PrometheusText.write(registry, as: format).split(separator: "\n").map(String.init).filter { $0.contains(name) }
    }

    @Test("a counter is named with _total and in OpenMetrics its family without")
    func counter() {
        let registry = PrometheusRegistry()
        registry.counter("orders", labels: [("state", "paid"), ("a b", "1")], help: "Orders \\ placed.").increment(
            by: 3 as Int64)
        registry.counter("orders_total", labels: [("state", "paid"), ("a b", "1")]).increment(by: -5.0)
        #expect(
            lines(registry, .text, about: "orders") == [
                "# HELP orders_total Orders \\\\ placed.", "# TYPE orders_total counter",
                "orders_total{a_b=\"1\",state=\"paid\"} 3",
            ])
        #expect(lines(registry, .openMetrics, about: "TYPE") == ["# TYPE orders counter"])
        #expect(PrometheusText.write(registry, as: .openMetrics).hasSuffix("# EOF\n"))
    }

    @Test("label values are escaped")
    func escaping() {
        let registry = PrometheusRegistry()
        registry.gauge("g", labels: [("path", "C:\\\"x\"\n")]).set(1.5)
        #expect(lines(registry, .text, about: "g{") == [#"g{path="C:\\\"x\"\n"} 1.5"#])
    }

    @Test("a histogram's buckets are cumulative, and end at +Inf")
    func histogram() {
        let registry = PrometheusRegistry()
        let histogram = registry.histogram("d_seconds", labels: [("route", "/a")], buckets: [0.1, 1])
        for value in [0.05, 0.1, 0.5, 7, .nan] { histogram.observe(value) }
        #expect(
            lines(registry, .text, about: "d_seconds") == [
                "# TYPE d_seconds histogram",
                "d_seconds_bucket{route=\"/a\",le=\"0.1\"} 2",
                "d_seconds_bucket{route=\"/a\",le=\"1\"} 3",
                "d_seconds_bucket{route=\"/a\",le=\"+Inf\"} 4",
                "d_seconds_sum{route=\"/a\"} 7.65",
                "d_seconds_count{route=\"/a\"} 4",
            ])
    }

    @Test("OpenMetrics shows the trace of a bucket's last value; the old format does not")
    func exemplars() throws {
        let registry = PrometheusRegistry()
        let trace = try #require(TraceID(high: 0x4bf9_2f35_77b3_4da6, low: 0xa3ce_929d_0e0e_4736))
        registry.histogram("d_seconds", buckets: [1]).observe(0.25, traceID: trace)
        let line = try #require(lines(registry, .openMetrics, about: "le=\"1.0\"").first)
        #expect(
            line.hasPrefix("d_seconds_bucket{le=\"1.0\"} 1 # {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"} 0.25 "))
        #expect(!PrometheusText.write(registry, as: .text).contains("trace_id"))
    }

    @Test("a name used for two kinds, and one series too many, are refused and counted")
    func refused() {
        let registry = PrometheusRegistry()
        registry.counter("x_total").increment(by: 1.0)
        registry.gauge("x_total").set(9)
        for index in 0..<10_001 { registry.gauge("many", labels: [("id", "\(index)")]).set(1) }
        #expect(lines(registry, .text, about: "x_total") == ["# TYPE x_total counter", "x_total 1"])
        #expect(lines(registry, .text, about: "many{").count == 9_999)
        #expect(
            lines(registry, .text, about: "apus_kit_series_dropped_total").last == "apus_kit_series_dropped_total 3")
    }

    @Test(
        "OpenMetrics is for those who ask for it",
        arguments: [
            (nil, "text/plain"), ("text/plain", "text/plain"), ("*/*", "text/plain"),
            ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "application/openmetrics-text"),
        ] as [(String?, String)])
    func negotiation(accept: String?, type: String) {
        #expect(PrometheusText.Format.accepted(accept).contentType.hasPrefix(type))
    }
}
