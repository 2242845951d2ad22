import Codecs
import FlameQL
import Query
import Telemetry

/// What the web app's page of profiles shows: which there are, and one flame graph.
struct ProfileRoutes {
    let engine: FlameQLEngine
    let runner: QueryRunner
    let time: TimeSource

    var routes: [Route] {
        [
            .get("/api/apus/profiles/types", scope: .query, errors: .apus) { try await types($0) },
            .get("/api/apus/profiles/flamegraph", scope: .query, errors: .apus) { try await flameGraph($0) },
        ]
    }

    private func types(_ call: Call) async throws -> Answer {
        let range = try ApusRange.read(call, now: time.nanoseconds)
        let engine = engine
        let types = try await runner.run("flameql", for: call) { context throws(QueryError) in
            try await engine.profileTypes(in: range, context: context)
        }
        var json = JSONWriter()
        json.beginObject()
        json.key("types")
        json.beginArray()
        for type in types {
            json.object { json in
                json.field("service", type.service)
                json.field("type", type.type.description)
            }
        }
        json.endArray()
        json.endObject()
        return .json(json.bytes)
    }

    private func flameGraph(_ call: Call) async throws -> Answer {
        let range = try ApusRange.read(call, now: time.nanoseconds)
        let form = try call.form()
        guard let type = form.nonEmpty("type").flatMap({ ProfileType($0) }) else {
            throw APIError.parameter("type", "write it as process_cpu:cpu:nanoseconds:cpu:nanoseconds")
        }
        var conditions: [String] = []
        if let service = form.nonEmpty("service") { conditions.append("\(ProfileType.serviceLabelName)=\(service.quoted)") }
        if var selector = form.nonEmpty("selector") {
            if selector.hasPrefix("{"), selector.hasSuffix("}") { selector = String(selector.dropFirst().dropLast()) }
            if !selector.trimmed.isEmpty { conditions.append(selector) }
        }
        let selector = "{\(conditions.joined(separator: ","))}"
        let engine = engine
        let graph = try await runner.run("flameql", selector, for: call) { context throws(QueryError) in
            try await engine.merge(type: type, selector: selector, in: range, context: context)
        }
        var json = JSONWriter()
        json.beginObject()
        json.field("unit", graph.unit)
        json.field("total", graph.total)
        json.flameGraph(graph)
        json.endObject()
        return .json(json.bytes)
    }
}

extension JSONWriter {
    /// The members `names` and `levels` of Pyroscope's flamebearer.
    mutating func flameGraph(_ graph: FlameGraph) {
        field("names", graph.names)
        key("levels")
        beginArray()
        for level in graph.levels {
            beginArray()
            for number in level { integer(number) }
            endArray()
        }
        endArray()
    }
}
