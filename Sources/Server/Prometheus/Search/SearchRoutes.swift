import Codecs
import Telemetry

/// `search/*`: names of metrics and labels, and values of labels, as editors look for them (Prometheus 3, web/api/v1, search.go): lines of JSON, each a
/// batch of results, then one that says how it ended.
struct SearchRoutes {
    let store: any TelemetryStore
    let time: TimeSource

    private struct Found: Sendable {
        var name: String
        var score: Double
    }

    var routes: [Route] {
        [
            .form("/api/v1/search/metric_names", scope: .query, errors: .prometheus) { try await metricNames($0) },
            .form("/api/v1/search/label_names", scope: .query, errors: .prometheus) { try await labelNames($0) },
            .form("/api/v1/search/label_values", scope: .query, errors: .prometheus) { try await labelValues($0) },
        ]
    }

    private func metricNames(_ call: Call) async throws -> Answer {
        let parameters = try SearchParameters(call, "metric_names", now: time.milliseconds)
        let found = try await find(parameters) { matchers throws(StoreError) in
            try await store.labelValues(Labels.metricName, .metrics, matching: matchers, in: parameters.range)
        }
        var known: [String: MetricMetadata] = [:]
        if parameters.includesMetadata {
            for entry in try await store.metadata(family: nil) where known[entry.family] == nil { known[entry.family] = entry }
        }
        return answer(found, parameters, "name") { name, json in
            guard let entry = known[name] else { return }
            json.field("type", entry.kind.rawValue)
            if !entry.help.isEmpty { json.field("help", entry.help) }
            if !entry.unit.isEmpty { json.field("unit", entry.unit) }
        }
    }

    private func labelNames(_ call: Call) async throws -> Answer {
        let parameters = try SearchParameters(call, "label_names", now: time.milliseconds)
        let found = try await find(parameters) { matchers throws(StoreError) in
            try await store.labelNames(.metrics, matching: matchers, in: parameters.range)
        }
        return answer(found, parameters, "name") { _, _ in }
    }

    private func labelValues(_ call: Call) async throws -> Answer {
        let parameters = try SearchParameters(call, "label_values", now: time.milliseconds)
        guard let name = try call.form().nonEmpty("label") else { throw APIError(.badRequest, "missing required parameter \"label\"") }
        let label = EscapedLabelName.unescape(name)
        let found = try await find(parameters) { matchers throws(StoreError) in
            try await store.labelValues(label, .metrics, matching: matchers, in: parameters.range)
        }
        return answer(found, parameters, "value") { _, _ in }
    }

    /// The names that fit, in the order asked for; one more than are wanted where there are more.
    private func find(
        _ parameters: SearchParameters, _ ask: ([LabelMatcher]) async throws(StoreError) -> [String]
    ) async throws -> [Found] {
        var names: Set<String> = []
        for matchers in parameters.matchers.isEmpty ? [[]] : parameters.matchers { names.formUnion(try await ask(matchers)) }
        var found = names.compactMap { name in parameters.filter.score(name).map { Found(name: name, score: $0) } }
        switch parameters.order {
        case .ascending: found.sort { $0.name.utf8Precedes($1.name) }
        case .descending: found.sort { $1.name.utf8Precedes($0.name) }
        case .score: found.sort { $0.score > $1.score || ($0.score == $1.score && $0.name.utf8Precedes($1.name)) }
        }
        return Array(found.prefix(parameters.limit + 1))
    }

    private func answer(
        _ found: [Found], _ parameters: SearchParameters, _ key: String, _ more: (String, inout JSONWriter) -> Void
    ) -> Answer {
        let hasMore = found.count > parameters.limit
        let shown = found.prefix(parameters.limit)
        var body: [UInt8] = []
        var start = 0
        repeat {
            var json = JSONWriter()
            json.beginObject()
            json.key("results")
            json.beginArray()
            for one in shown.dropFirst(start).prefix(parameters.batchCount) {
                json.beginObject()
                json.field(key, one.name)
                if parameters.includesScore { json.field("score", one.score) }
                more(one.name, &json)
                json.endObject()
            }
            json.endArray()
            json.endObject()
            body += json.bytes + [UInt8(ascii: "\n")]
            start += parameters.batchCount
        } while start < shown.count
        var json = JSONWriter()
        json.beginObject()
        json.field("status", "success")
        json.field("has_more", hasMore)
        json.endObject()
        body += json.bytes + [UInt8(ascii: "\n")]
        return Answer(contentType: "application/x-ndjson; charset=utf-8", body: body)
    }
}
