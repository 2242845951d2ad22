import Codecs
import Formats
import LogQL
import Query
import Telemetry

/// `query` and `query_range` (Loki, HTTP API, "Query endpoints"), and the query of its first API.
struct LokiQueryRoutes {
    let engine: LogQLEngine
    let runner: QueryRunner
    let time: TimeSource

    var routes: [Route] {
        [
            .form("/loki/api/v1/query", scope: .query, errors: .loki) { try await instant($0) }.on(.query),
            .form("/loki/api/v1/query_range", scope: .query, errors: .loki) { try await range($0) }.on(.query),
            .form("/loki/api/v1/format_query", scope: .query, errors: .loki) { try format($0) },
            .form("/api/prom/query", scope: .query, errors: .loki) { try await legacy($0) }.on(.query),
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
        return LokiJSON(call).answer(result, after: ContinuousClock.now - start)
    }

    private func range(_ call: Call) async throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        var (from, to) = try parameters.range()
        let step = try parameters.stepNanoseconds(start: from, end: to)
        let limit = try parameters.limit(default: 100)
        let direction: LogQLDirection = try parameters.isForward ? .forward : .backward
        let interval = try parameters.intervalNanoseconds
        let query = parameters.form["query"] ?? ""
        let start = ContinuousClock.now
        let engine = engine
        if let cursor = parameters.form["cursor"], case .logs(let selector) = try LogQLParser.parse(query) {
            let after = try LogCursorText.parse(cursor)
            let window = TimeRange(from, to > from ? to - 1 : from)
            let page = try await runner.run("logql", query, for: call) { context throws(QueryError) in
                try await engine.page(selector, in: window, after: after, limit: limit, direction: direction, context: context)
            }
            let result = LogQLResult(value: .streams(LogQLStream.grouping(page.lines)), statistics: page.statistics)
            return LokiJSON(call).answer(result, after: ContinuousClock.now - start, cursor: .some(page.next.map(LogCursorText.text)))
        }
        if case .metric = try LogQLParser.parse(query) { (from, to) = Self.aligned(from, to, step) }
        let (first, last) = (from, to)
        let result = try await runner.run("logql", query, for: call) { context throws(QueryError) in
            try await engine.range(
                query, from: first, to: last, step: step, limit: limit, direction: direction, interval: interval, context: context)
        }
        return LokiJSON(call).answer(result, after: ContinuousClock.now - start)
    }

    /// The range from one multiple of the step to another: Loki's query frontend rounds the start down and the end up.
    private static func aligned(_ from: Int64, _ to: Int64, _ step: Int64) -> (Int64, Int64) {
        let start = from.floorDivided(by: step).multipliedReportingOverflow(by: step)
        let floor = to.floorDivided(by: step)
        let end = (to % step == 0 ? floor : floor &+ 1).multipliedReportingOverflow(by: step)
        return (start.overflow ? from : start.partialValue, end.overflow ? to : end.partialValue)
    }

    private func format(_ call: Call) throws -> Answer {
        var json = JSONWriter()
        json.beginObject()
        let query = try call.form()["query"] ?? ""
        do throws(QueryError) {
            let expression = try LogQLParser.parse(query)
            json.field("status", "success")
            json.field("data", LogQLPrinter.pretty(expression))
            json.endObject()
            return .json(json.bytes)
        } catch {
            json.field("status", "invalid-query")
            json.field("error", error.message)
            json.endObject()
            return .json(json.bytes, status: 400)
        }
    }

    private func legacy(_ call: Call) async throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let (from, to) = try parameters.range()
        let limit = try parameters.limit(default: 100)
        let direction: LogQLDirection = try parameters.isForward ? .forward : .backward
        let query = try parameters.queryWithRegexp()
        guard case .logs = try LogQLParser.parse(query) else {
            throw APIError(.badRequest, "legacy endpoints only support streams result type")
        }
        let start = ContinuousClock.now
        let engine = engine
        let result = try await runner.run("logql", query, for: call) { context throws(QueryError) in
            try await engine.range(query, from: from, to: to, step: 1, limit: limit, direction: direction, context: context)
        }
        guard case .streams(let streams) = result.value else { return LokiLegacyJSON.answer([], result.statistics, after: .zero) }
        return LokiLegacyJSON.answer(streams, result.statistics, after: ContinuousClock.now - start)
    }
}
