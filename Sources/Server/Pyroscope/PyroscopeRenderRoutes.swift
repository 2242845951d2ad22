import Codecs
import FlameQL
import Formats
import Query
import Telemetry

/// Pyroscope's `render`: a flame graph of the profiles that a query names, in the flamebearer format.
struct PyroscopeRenderRoutes {
    let engine: FlameQLEngine
    let runner: QueryRunner
    let time: TimeSource

    var routes: [Route] {
        [
            .get("/pyroscope/render", scope: .query, errors: .text) { try await render($0) },
        ]
    }

    private func render(_ call: Call) async throws -> Answer {
        let form = try call.form()
        let now = time.nanoseconds
        let until = try instant(form.nonEmpty("until") ?? "now", now: now, name: "until")
        let from = try instant(form.nonEmpty("from") ?? "now-1h", now: now, name: "from")
        guard from <= until else { throw APIError(.badRequest, "from must not be after until") }
        let query = form.nonEmpty("query") ?? ""
        let selector = try ProfileSelector(query)
        guard let type = selector.type else {
            throw APIError(.badRequest, "query must begin with a profile type, such as process_cpu:cpu:nanoseconds:cpu:nanoseconds{…}")
        }
        let nodeCountMax = form.nonEmpty("max-nodes").flatMap { Int($0) } ?? form.nonEmpty("maxNodes").flatMap { Int($0) } ?? FlameQLEngine.nodeCountDefault
        guard nodeCountMax > 0 else { throw APIError(.badRequest, "max-nodes must be positive") }
        let conditions = "{\(selector.matchers.map(\.description).joined(separator: ","))}"
        let engine = engine
        let graph = try await runner.run("flameql", query, for: call) { context throws(QueryError) in
            try await engine.merge(type: type, selector: conditions, in: TimeRange(from, until), nodeCountMax: nodeCountMax, context: context)
        }
        return .json(Self.flamebearer(graph, type: type))
    }

    private static func flamebearer(_ graph: FlameGraph, type: ProfileType) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.field("version", 1)
        json.key("flamebearer")
        json.beginObject()
        json.flameGraph(graph)
        json.field("numTicks", graph.total)
        json.field("maxSelf", graph.maxOwn)
        json.endObject()
        json.key("metadata")
        json.object { json in
            json.field("format", "single")
            json.field("spyName", "")
            json.field("sampleRate", type.sampleUnit == "nanoseconds" ? 1_000_000_000 : 1)
            json.field("units", Self.unit(type))
            json.field("name", type.sampleType)
        }
        json.endObject()
        return json.bytes
    }

    /// Pyroscope's names of units (pkg/og/structs/flamebearer).
    private static func unit(_ type: ProfileType) -> String {
        switch type.sampleUnit {
        case "nanoseconds": "samples"
        case "bytes": "bytes"
        case "count": type.name == "goroutine" ? "goroutines" : "objects"
        default: type.sampleUnit
        }
    }

    /// `now`, `now-30m`, seconds, milliseconds or nanoseconds since the epoch, RFC 3339.
    private func instant(_ text: String, now: Int64, name: String) throws(APIError) -> Int64 {
        if text == "now" { return now }
        if text.hasPrefix("now-"), let before = DurationParameter.nanoseconds(text.dropFirst(4)) {
            return now.subtractingReportingOverflow(before).partialValue
        }
        if let number = Int64(text), text.utf8.count == 13 { return number * 1_000_000 }
        guard let instant = TimeParameter.nanoseconds(text) else { throw .parameter(name, "cannot parse \"\(text)\" to a valid timestamp") }
        return instant
    }
}
