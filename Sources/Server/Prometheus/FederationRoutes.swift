import PromQL
import Query
import Telemetry

/// `/federate`: the last samples of the series that match, in the text format, for another server to scrape.
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
        let now = time.milliseconds
        let range = TimeRange(now - lookback + 1, now)
        let reader = reader
        let samples = try await runner.run("federate", "", for: call) { context throws(QueryError) in
            try await reader.lastFloats(selectors, in: range, context: context)
        }
        return Answer(contentType: "text/plain; version=0.0.4; charset=utf-8", body: text(samples))
    }

    private func text(_ samples: [(labels: Labels, sample: Sample)]) -> [UInt8] {
        let external = externalLabels()
        var text = ""
        var family: String?
        let rows = samples.map { (name: $0.labels[Labels.metricName] ?? "", labels: $0.labels, sample: $0.sample) }
        for row in rows.sorted(by: { ($0.name, $0.labels) < ($1.name, $1.labels) }) where !row.name.isEmpty {
            let isPlain = row.name.utf8.allSatisfy { $0 != UInt8(ascii: ":") } ? row.name.isLabelIdentifier : Self.isMetricName(row.name)
            let name = isPlain ? row.name : row.name.quoted
            if row.name != family {
                family = row.name
                text += "# TYPE \(name) untyped\n"
            }
            var labels = row.labels
            labels[Labels.metricName] = nil
            for label in external.pairs where labels[label.name] == nil { labels[label.name] = label.value }
            var pairs = labels.pairs.map { "\($0.name.isLabelIdentifier ? $0.name : $0.name.quoted)=\"\(Self.escaped($0.value))\"" }
            // Without it the scraping server would put this server's address there.
            if labels["instance"] == nil { pairs.append("instance=\"\"") }
            if !isPlain { pairs.insert(name, at: 0) }
            text += "\(isPlain ? name : ""){\(pairs.joined(separator: ","))} "
            text += "\(PromQLNumber.formatGeneral(row.sample.value)) \(row.sample.timestamp)\n"
        }
        return Array(text.utf8)
    }

    private static func isMetricName(_ name: String) -> Bool {
        String(name.map { $0 == ":" ? "_" : $0 }).isLabelIdentifier
    }

    private static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return value }
        return value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
