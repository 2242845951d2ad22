import Codecs
import Formats
import LogQL
import Query
import Telemetry

/// What Grafana's Drilldown asks: labels and fields that lines have, and their patterns (Loki, HTTP API, "Detected fields", "Patterns").
struct LokiDetectionRoutes {
    let engine: LogQLEngine
    let store: any TelemetryStore
    let patterns: any PatternSource
    let runner: QueryRunner
    let time: TimeSource

    /// Labels that are worth a filter whatever their values look like.
    private static let plainLabels: Set<String> = ["cluster", "namespace", "instance", "pod"]

    var routes: [Route] {
        [
            .form("/loki/api/v1/detected_labels", scope: .query, errors: .loki) { try await labels($0) },
            .form("/loki/api/v1/detected_fields", scope: .query, errors: .loki) { try await fields($0) },
            .form("/loki/api/v1/detected_field/{name}/values", scope: .query, errors: .loki) { try await values($0) },
            .form("/loki/api/v1/patterns", scope: .query, errors: .loki) { try await patterns($0) },
        ]
    }

    private func labels(_ call: Call) async throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let matchers = try parameters.matchers()
        let range = try parameters.closedRange()
        var json = JSONWriter()
        json.beginObject()
        json.key("detectedLabels")
        json.beginArray()
        for name in try await store.labelNames(.logs, matching: matchers, in: range) {
            let values = try await store.labelValues(name, .logs, matching: matchers, in: range)
            guard Self.plainLabels.contains(name) ? !values.isEmpty : !Self.areIdentifiers(values) else { continue }
            json.beginObject()
            json.field("label", name)
            json.field("cardinality", values.count)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return .json(json.bytes)
    }

    /// Labels whose values are numbers or UUIDs throughout tell nobody anything; 0 and 1 count as booleans.
    static func areIdentifiers(_ values: [String]) -> Bool {
        if values.isEmpty { return true }
        if values.count <= 2, values.allSatisfy({ $0 == "0" || $0 == "1" }) { return false }
        return values.allSatisfy { Double($0) != nil || isUUID($0) }
    }

    private static func isUUID(_ text: String) -> Bool {
        let digits = text.utf8.filter { $0 != UInt8(ascii: "-") }
        return digits.count == 32 && (text.utf8.count == 36 || text.utf8.count == 32) && digits.allSatisfy { Hex.value($0) != nil }
    }

    private func detected(_ call: Call) async throws -> (fields: [DetectedField], limit: Int) {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let (from, to) = try parameters.range()
        let lineLimit = try parameters.limit("line_limit", default: 100)
        let limit = try parameters.limit(parameters.form.nonEmpty("limit") == nil ? "field_limit" : "limit", default: 1_000)
        let query = parameters.form["query"] ?? ""
        guard case .logs(let selector) = try LogQLParser.parse(query) else {
            throw APIError(.badRequest, "only log selector is supported")
        }
        let engine = engine
        let result = try await runner.run("logql", query, for: call) { context throws(QueryError) in
            try await engine.lines(
                selector, in: TimeRange(from, max(from, to - 1)), limit: lineLimit, direction: .backward, context: context)
        }
        guard case .streams(let streams) = result.value else { return ([], limit) }
        return (FieldDetection.fields(of: streams, limit: limit), limit)
    }

    private func fields(_ call: Call) async throws -> Answer {
        let (fields, limit) = try await detected(call)
        var json = JSONWriter()
        json.beginObject()
        if !fields.isEmpty {
            json.key("fields")
            json.beginArray()
            for field in fields {
                json.beginObject()
                json.field("label", field.label)
                json.field("type", field.kind.rawValue)
                json.field("cardinality", field.values.count)
                json.key("parsers")
                if field.parsers.isEmpty { json.null() } else { json.array(field.parsers) }
                if let path = field.path { json.field("jsonPath", path) }
                json.endObject()
            }
            json.endArray()
            json.field("limit", limit)
        }
        json.endObject()
        return .json(json.bytes)
    }

    private func values(_ call: Call) async throws -> Answer {
        let name = call.captures.first ?? ""
        let (fields, limit) = try await detected(call)
        let values = fields.first { $0.label == name }?.values.sorted() ?? []
        var json = JSONWriter()
        json.beginObject()
        if !values.isEmpty {
            json.field("values", Array(values.prefix(limit)))
            json.field("limit", limit)
        }
        json.endObject()
        return .json(json.bytes)
    }

    private func patterns(_ call: Call) async throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let (from, to) = try parameters.range()
        let step = try parameters.stepNanoseconds(start: from, end: to)
        let matchers = try parameters.matchers()
        let query = parameters.form["query"] ?? ""
        let source = self.patterns
        let found = try await runner.run("logql", query, for: call) { _ throws(QueryError) in
            try await QueryError.reading { try await source.patterns(matching: matchers, in: TimeRange(from, to), step: step) }
        }
        return LokiJSON.success { json in
            json.array { json in
                for pattern in found {
                    json.beginObject()
                    json.field("pattern", pattern.pattern)
                    json.field("level", pattern.level)
                    json.key("samples")
                    json.array { json in
                        for sample in pattern.samples {
                            json.beginArray()
                            json.integer(sample.timestamp.floorDivided(by: 1_000_000_000))
                            json.integer(sample.count)
                            json.endArray()
                        }
                    }
                    json.endObject()
                }
            }
        }
    }
}
