import Codecs
import Formats
import Query
import Telemetry
import TraceQL

/// Numbers over time from spans (Tempo, HTTP API, "TraceQL Metrics").
struct TempoMetricsRoutes {
    let engine: TraceQLEngine
    let runner: QueryRunner
    let time: TimeSource

    var routes: [Route] {
        [.get("/api/metrics/query_range", scope: .query, errors: .text) { try await range($0) }.on(.query)]
    }

    private func range(_ call: Call) async throws -> Answer {
        let now = time.nanoseconds
        let parameters = try TempoParameters(call, now: now)
        guard let query = parameters.form.nonEmpty("q") ?? parameters.form.nonEmpty("query") else {
            throw APIError(.badRequest, "q is missing: the TraceQL query")
        }
        let range = try parameters.closedRange()
        let step = try Self.step(parameters.form.nonEmpty("step"), in: range)
        let engine = engine
        let series = try await runner.run("traceql", query, for: call) { context throws(QueryError) in
            try await engine.metrics(query, from: range.start, to: range.end, step: step, context: context)
        }
        var json = JSONWriter()
        json.beginObject()
        json.key("series")
        json.beginArray()
        for one in series {
            json.beginObject()
            json.key("labels")
            TempoJSON.attributes(one.labels, &json)
            json.key("samples")
            json.beginArray()
            for (timestamp, value) in zip(one.timestamps, one.values) {
                json.object { json in
                    json.field("timestampMs", String(timestamp.floorDivided(by: 1_000_000)))
                    json.field("value", value)
                }
            }
            json.endArray()
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return .json(json.bytes)
    }

    /// The step in nanoseconds: what is asked for, or a 100th of the range, at least a second.
    private static func step(_ text: String?, in range: TimeRange) throws(APIError) -> Int64 {
        let length = range.end - range.start
        guard let text else { return max(1, length / 100 / 1_000_000_000) * 1_000_000_000 }
        guard let step = TimeParameter.stepMilliseconds(text), step > 0, !step.multipliedReportingOverflow(by: 1_000_000).overflow else {
            throw APIError(.badRequest, "invalid step: \"\(text)\" is no duration")
        }
        guard length / (step * 1_000_000) <= Limits.pointsPerSeriesMax else {
            throw APIError(.badRequest, "the range has more than 11,000 steps: make the step longer")
        }
        return step * 1_000_000
    }
}
