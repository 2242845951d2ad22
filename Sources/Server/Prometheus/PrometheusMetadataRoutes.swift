import Codecs
import PromQL
import Query
import Telemetry

/// `series`, `labels`, `label/N/values`, `metadata` and `query_exemplars` (Prometheus, HTTP API, "Querying metadata").
struct PrometheusMetadataRoutes {
    let store: any TelemetryStore

    var routes: [Route] {
        [
            .form("/api/v1/series", scope: .query, errors: .prometheus) { try await series($0) },
            .form("/api/v1/labels", scope: .query, errors: .prometheus) { try await labels($0) }.on(.eventLoop),
            .get("/api/v1/label/{name}/values", scope: .query, errors: .prometheus) { try await values($0) }.on(.eventLoop),
            .get("/api/v1/metadata", scope: .query, errors: .prometheus) { try await metadata($0) },
            .form("/api/v1/query_exemplars", scope: .query, errors: .prometheus) { try await exemplars($0) },
        ]
    }

    private static let truncated = ["results truncated due to limit"]

    private func series(_ call: Call) async throws -> Answer {
        let parameters = try PrometheusParameters(call)
        guard parameters.form["match[]"] != nil else { throw APIError(.badRequest, "no match[] parameter provided") }
        let range = try parameters.range()
        let limit = try parameters.limit()
        var found: Set<Labels> = []
        for matchers in try parameters.matchers() {
            for stream in try await store.streams(.metrics, matching: matchers, in: range) { found.insert(stream.labels) }
        }
        var sorted = found.sorted()
        let isTruncated = limit.map { sorted.count > $0 } ?? false
        if let limit, isTruncated { sorted.removeLast(sorted.count - limit) }
        return PrometheusJSON.success(warnings: isTruncated ? Self.truncated : []) { answer in
            answer.write { json in
                json.beginArray()
                for labels in sorted { json.labels(labels) }
                json.endArray()
            }
        }
    }

    private func labels(_ call: Call) async throws -> Answer {
        let parameters = try PrometheusParameters(call)
        let range = try parameters.range()
        return try await strings(parameters) { matchers throws(StoreError) in try await store.labelNames(.metrics, matching: matchers, in: range) }
    }

    private func values(_ call: Call) async throws -> Answer {
        let parameters = try PrometheusParameters(call)
        let name = EscapedLabelName.unescape(call.captures.first ?? "")
        guard !name.isEmpty else { throw APIError(.badRequest, "invalid label name: \"\(name)\"") }
        let range = try parameters.range()
        return try await strings(parameters) { matchers throws(StoreError) in try await store.labelValues(name, .metrics, matching: matchers, in: range) }
    }

    /// The union over all selectors, sorted, cut at the limit.
    private func strings(
        _ parameters: PrometheusParameters, _ ask: ([LabelMatcher]) async throws(StoreError) -> [String]
    ) async throws -> Answer {
        let limit = try parameters.limit()
        let selectors = try parameters.matchers()
        var found: [String]
        if selectors.count <= 1 {
            found = try await ask(selectors.first ?? [])
        } else {
            var union: Set<String> = []
            for matchers in selectors { union.formUnion(try await ask(matchers)) }
            found = union.sorted { $0.utf8Precedes($1) }
        }
        let isTruncated = limit.map { found.count > $0 } ?? false
        if let limit, isTruncated { found.removeLast(found.count - limit) }
        return PrometheusJSON.success(warnings: isTruncated ? Self.truncated : []) { answer in
            answer.write { $0.array(found) }
        }
    }

    private func metadata(_ call: Call) async throws -> Answer {
        let parameters = try PrometheusParameters(call)
        let limit = try parameters.count()
        let perMetric = try parameters.count("limit_per_metric").flatMap { $0 > 0 ? $0 : nil }
        var families: [String: [MetricMetadata]] = [:]
        for entry in try await store.metadata(family: parameters.form.nonEmpty("metric")) {
            if let perMetric, families[entry.family, default: []].count >= perMetric { continue }
            families[entry.family, default: []].append(entry)
        }
        var names = families.keys.sorted { $0.utf8Precedes($1) }
        if let limit, names.count > limit { names.removeLast(names.count - limit) }
        return PrometheusJSON.success { answer in
            answer.write { json in
                json.beginObject()
                for name in names {
                    json.key(name)
                    json.beginArray()
                    for entry in families[name] ?? [] {
                        json.beginObject()
                        json.field("type", entry.kind.rawValue)
                        json.field("help", entry.help)
                        json.field("unit", entry.unit)
                        json.endObject()
                    }
                    json.endArray()
                }
                json.endObject()
            }
        }
    }

    private func exemplars(_ call: Call) async throws -> Answer {
        let parameters = try PrometheusParameters(call)
        let range = try parameters.range()
        guard !range.isEmpty else { throw APIError(.badRequest, "end timestamp must not be before start timestamp") }
        let selectors: [[LabelMatcher]]
        do {
            selectors = try PromQLParser.parse(parameters.form["query"] ?? "").selectors
        } catch {
            throw APIError(.badRequest, error.description)
        }
        var found: [Labels: [Exemplar]] = [:]
        for matchers in selectors {
            for (series, exemplars) in try await store.exemplars(matching: matchers, in: range) { found[series] = exemplars }
        }
        return PrometheusJSON.success { answer in
            answer.write { json in
                json.beginArray()
                for (series, exemplars) in found.sorted(by: { $0.key < $1.key }) {
                    json.beginObject()
                    json.key("seriesLabels")
                    json.labels(series)
                    json.key("exemplars")
                    json.beginArray()
                    for exemplar in exemplars { Self.write(exemplar, &json) }
                    json.endArray()
                    json.endObject()
                }
                json.endArray()
            }
        }
    }

    private static func write(_ exemplar: Exemplar, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("labels")
        json.labels(exemplar.labels)
        json.field("value", PrometheusJSON.number(exemplar.value))
        json.key("timestamp")
        json.raw(PrometheusJSON.timestamp(exemplar.timestamp))
        json.endObject()
    }
}
