import Formats
import PromQL
import Query
import Telemetry

/// `/federate`: the last samples of the series that match, for another server to scrape (Prometheus, web/federate.go).
///
/// Native histograms go out in protobuf alone, which the other server must ask for; those with custom bounds as classic ones in either format.
struct FederationRoutes {
    let reader: SeriesReader
    let runner: QueryRunner
    let time: TimeSource
    /// Milliseconds that a sample may be old.
    let lookback: Int64
    /// Put on series that have no such label.
    let externalLabels: @Sendable () -> Labels

    var routes: [Route] {
        [.form("/federate", scope: .query, errors: .text) { try await federate($0) }]
    }

    private func federate(_ call: Call) async throws -> Answer {
        let selectors = try PrometheusParameters(call).matchers()
        let format = ExpositionFormat(accept: call.headers["accept"] ?? "")
        let now = time.milliseconds
        let range = TimeRange(now - lookback + 1, now)
        let reader = reader
        let samples = try await runner.run("federate", "", for: call) { context throws(QueryError) in
            try await reader.lastSamples(selectors, in: range, context: context)
        }
        let families = families(samples, canHoldHistograms: format == .protobuf)
        if format == .protobuf {
            return Answer(
                contentType: "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
                body: Exposition.encodeProtobuf(families))
        }
        return Answer(contentType: "text/plain; version=0.0.4; charset=utf-8", body: FederationText.encode(families))
    }

    /// The samples by metric and kind; one metric may come as several families, which Prometheus reads all the same.
    private func families(_ samples: [SeriesReader.LastSample], canHoldHistograms: Bool) -> [ExposedFamily] {
        let external = externalLabels()
        var families: [ExposedFamily] = []
        let rows = samples.map { (name: $0.labels[Labels.metricName] ?? "", sample: $0) }
        for row in rows.sorted(by: { ($0.name, $0.sample.labels) < ($1.name, $1.sample.labels) }) where !row.name.isEmpty {
            var kind = ExposedFamily.Kind.untyped
            if case .histogram(let histogram) = row.sample.value {
                guard canHoldHistograms || histogram.schema == NativeHistogram.customBoundsSchema else { continue }
                kind = histogram.resetHint == .gauge ? .gaugeHistogram : .histogram
            }
            if families.last?.name != row.name || families.last?.kind != kind { families.append(ExposedFamily(name: row.name, kind: kind)) }
            var labels = row.sample.labels.pairs.filter { $0.name != Labels.metricName }
            for label in external.pairs where row.sample.labels[label.name] == nil { labels.append(label) }
            // Without it the scraping server would put this server's address there.
            if row.sample.labels["instance"] == nil, external["instance"] == nil { labels.append(Label("instance", "")) }
            families[families.count - 1].metrics.append(
                ExposedFamily.Metric(labels: labels, timestamp: row.sample.timestamp, value: row.sample.value))
        }
        return families
    }
}
