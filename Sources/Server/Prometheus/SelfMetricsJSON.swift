import Codecs
import Formats
import Query
import Telemetry

/// Metric families as protobuf's JSON has `io.prometheus.client.MetricFamily` (Prometheus 3, `status/self_metrics`).
enum SelfMetricsJSON {
    private struct Metric {
        var labels: Labels
        var value = 0.0
        var sum = 0.0
        var count = 0.0
        var buckets: [(bound: String, count: Double)] = []
    }

    static func write(_ exposition: ExpositionResult, _ test: MatcherTest, _ json: inout JSONWriter) {
        let series = exposition.series
        json.beginArray()
        for family in exposition.metadata where test.holds(Labels(sorted: [Label(Labels.metricName, family.family)])) {
            let isHistogram = family.kind == .histogram
            var metrics: [Metric] = []
            for one in series {
                let name = one.labels[Labels.metricName] ?? ""
                let suffix = isHistogram ? ["_bucket", "_sum", "_count"].first { name == family.family + $0 } : name == family.family ? "" : nil
                guard let suffix else { continue }
                var labels = one.labels
                labels[Labels.metricName] = nil
                if suffix == "_bucket" { labels["le"] = nil }
                if metrics.last?.labels != labels { metrics.append(Metric(labels: labels)) }
                let last = metrics.count - 1
                switch suffix {
                case "_bucket": metrics[last].buckets.append((one.labels["le"] ?? "", one.value))
                case "_sum": metrics[last].sum = one.value
                case "_count": metrics[last].count = one.value
                default: metrics[last].value = one.value
                }
            }
            json.beginObject()
            json.field("name", family.family)
            json.field("help", family.help)
            json.field("type", isHistogram ? "HISTOGRAM" : family.kind == .counter ? "COUNTER" : family.kind == .gauge ? "GAUGE" : "UNTYPED")
            json.key("metric")
            json.beginArray()
            for metric in metrics { write(metric, family.kind, &json) }
            json.endArray()
            json.endObject()
        }
        json.endArray()
    }

    private static func write(_ metric: Metric, _ kind: MetricMetadata.Kind, _ json: inout JSONWriter) {
        json.beginObject()
        if !metric.labels.isEmpty {
            json.key("label")
            json.beginArray()
            for label in metric.labels.pairs {
                json.beginObject()
                json.field("name", label.name)
                json.field("value", label.value)
                json.endObject()
            }
            json.endArray()
        }
        json.key(kind == .histogram ? "histogram" : kind == .counter ? "counter" : kind == .gauge ? "gauge" : "untyped")
        json.beginObject()
        if kind == .histogram {
            // 64-bit integers are strings in protobuf's JSON.
            json.field("sampleCount", String(Int64(metric.count)))
            json.field("sampleSum", metric.sum)
            json.key("bucket")
            json.beginArray()
            for bucket in metric.buckets {
                json.beginObject()
                json.field("cumulativeCount", String(Int64(bucket.count)))
                if let bound = Double(bucket.bound), bound.isFinite { json.field("upperBound", bound) } else { json.field("upperBound", "Infinity") }
                json.endObject()
            }
            json.endArray()
        } else {
            json.field("value", metric.value)
        }
        json.endObject()
        json.endObject()
    }
}
