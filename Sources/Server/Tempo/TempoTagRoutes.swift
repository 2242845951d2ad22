import Codecs
import Query
import Telemetry
import TraceQL

/// The names and values of attributes, for completion (Tempo, HTTP API, "Search tags").
struct TempoTagRoutes {
    let engine: TraceQLEngine
    let runner: QueryRunner
    let time: TimeSource

    var routes: [Route] {
        [
            .get("/api/search/tags", scope: .query, errors: .text) { try await names($0) },
            .get("/api/v2/search/tags", scope: .query, errors: .text) { try await scopedNames($0) },
            .get("/api/search/tag/{name}/values", scope: .query, errors: .text) { try await values($0) },
            .get("/api/v2/search/tag/{name}/values", scope: .query, errors: .text) { try await typedValues($0) },
        ]
    }

    private func range(_ call: Call) throws -> TimeRange {
        try TempoParameters(call, now: time.nanoseconds).closedRange()
    }

    private func scopes(_ call: Call) async throws -> [(scope: String, names: [String])] {
        let range = try range(call)
        let wanted = try call.form().nonEmpty("scope")
        let scope = wanted == "none" ? nil : wanted
        let engine = engine
        return try await runner.run("traceql", for: call) { context throws(QueryError) in
            try await engine.tagNames(scope: scope, in: range, context: context)
        }
    }

    private func names(_ call: Call) async throws -> Answer {
        var union: Set<String> = []
        for scope in try await scopes(call) { union.formUnion(scope.names) }
        var json = JSONWriter()
        json.beginObject()
        json.field("tagNames", union.sorted { $0.utf8Precedes($1) })
        json.endObject()
        return .json(json.bytes)
    }

    private func scopedNames(_ call: Call) async throws -> Answer {
        var json = JSONWriter()
        json.beginObject()
        json.key("scopes")
        json.beginArray()
        for scope in try await scopes(call) {
            json.beginObject()
            json.field("name", scope.scope)
            json.field("tags", scope.names)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return .json(json.bytes)
    }

    private func found(_ call: Call) async throws -> [TagValue] {
        let range = try range(call)
        // Grafana encodes the name twice.
        let once = call.captures.first ?? ""
        let name = PercentEncoding.decode(Array(once.utf8), plusIsSpace: false) ?? once
        let filter = try call.form().nonEmpty("q") ?? ""
        let engine = engine
        return try await runner.run("traceql", filter, for: call) { context throws(QueryError) in
            try await engine.tagValues(name, filter: filter, in: range, context: context)
        }
    }

    private func values(_ call: Call) async throws -> Answer {
        let values = try await found(call).map(\.value)
        var json = JSONWriter()
        json.beginObject()
        json.field("tagValues", values)
        json.endObject()
        return .json(json.bytes)
    }

    private func typedValues(_ call: Call) async throws -> Answer {
        let values = try await found(call)
        var json = JSONWriter()
        json.beginObject()
        json.key("tagValues")
        json.beginArray()
        for value in values {
            json.beginObject()
            json.field("type", value.type)
            json.field("value", value.value)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return .json(json.bytes)
    }
}
