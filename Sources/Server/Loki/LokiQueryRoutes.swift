import Codecs
import LogQL
import Query
import Telemetry

/// `query` and `query_range` (Loki, HTTP API, "Query endpoints").
struct LokiQueryRoutes {
    let engine: LogQLEngine
    let runner: QueryRunner
    let time: TimeSource

    var routes: [Route] {
        [
            .form("/loki/api/v1/query", scope: .query, errors: .text) { try await instant($0) },
            .form("/loki/api/v1/query_range", scope: .query, errors: .text) { try await range($0) },
            .form("/loki/api/v1/format_query", scope: .query, errors: .text) { try format($0) },
        ]
    }

    private func instant(_ call: Call) async throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let at = try parameters.time("time") ?? time.nanoseconds
        let limit = try parameters.limit(default: 100)
        let isForward = try parameters.isForward
        let query = parameters.form["query"] ?? ""
        let start = ContinuousClock.now
        let engine = engine
        let result = try await runner.run("logql", query, for: call) { context throws(QueryError) in
            try await engine.instant(query, at: at, limit: limit, direction: isForward ? .forward : .backward, context: context)
        }
        return answer(result, to: call, after: ContinuousClock.now - start)
    }

    private func range(_ call: Call) async throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let (from, to) = try parameters.range()
        let step = try parameters.stepNanoseconds(start: from, end: to)
        let limit = try parameters.limit(default: 100)
        let isForward = try parameters.isForward
        let query = parameters.form["query"] ?? ""
        let start = ContinuousClock.now
        let engine = engine
        let result = try await runner.run("logql", query, for: call) { context throws(QueryError) in
            try await engine.range(
                query, from: from, to: to, step: step, limit: limit, direction: isForward ? .forward : .backward, context: context)
        }
        return answer(result, to: call, after: ContinuousClock.now - start)
    }

    private func format(_ call: Call) throws -> Answer {
        let expression = try LogQLParser.parse(try call.form()["query"] ?? "")
        return LokiJSON.success { $0.string(expression.description) }
    }

    private func answer(_ result: LogQLResult, to call: Call, after duration: Duration) -> Answer {
        let flags = (call.headers["x-loki-response-encoding-flags"] ?? "").split(separator: ",").map { $0.trimmed }
        let json = LokiJSON(categorizesLabels: flags.contains("categorize-labels"))
        return json.answer(result, after: duration)
    }
}
