import Codecs
import PromQL
import Query
import Settings
import Telemetry

/// `query`, `query_range` and what helps to write queries (Prometheus, HTTP API, "Expression queries").
struct PrometheusQueryRoutes {
    let engine: PromQLEngine
    let runner: QueryRunner
    let time: TimeSource

    var routes: [Route] {
        [
            .form("/api/v1/query", scope: .query, errors: .prometheus) { try await instant($0) },
            .form("/api/v1/query_range", scope: .query, errors: .prometheus) { try await range($0) },
            .form("/api/v1/format_query", scope: .query, errors: .prometheus) { try format($0) },
        ]
    }

    private func instant(_ call: Call) async throws -> Answer {
        let parameters = try PrometheusParameters(call)
        let limit = try parameters.limit()
        let at = try parameters.time("time") ?? time.milliseconds
        let timeout = try parameters.timeout()
        let query = parameters.form["query"] ?? ""
        let engine = engine
        let (result, context) = try await naming { () async throws(QueryError) in
            try await runner.run("promql", query, for: call, timeout: timeout) { context throws(QueryError) in
                (try await engine.instant(query, at: at, context: context), context)
            }
        }
        return answer(result, limit: limit, context: context, parameters: parameters)
    }

    private func range(_ call: Call) async throws -> Answer {
        let parameters = try PrometheusParameters(call)
        let limit = try parameters.limit()
        let start = try parameters.requiredTime("start")
        let end = try parameters.requiredTime("end")
        guard end >= start else { throw APIError.parameter("end", "end timestamp must not be before start time") }
        let step = try parameters.stepMilliseconds()
        guard (end - start) / step <= Limits.pointsPerSeriesMax else {
            throw APIError(
                .badRequest,
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)")
        }
        let timeout = try parameters.timeout()
        let query = parameters.form["query"] ?? ""
        let engine = engine
        let (result, context) = try await naming { () async throws(QueryError) in
            try await runner.run("promql", query, for: call, timeout: timeout) { context throws(QueryError) in
                (try await engine.range(query, from: start, to: end, step: step, context: context), context)
            }
        }
        return answer(result, limit: limit, context: context, parameters: parameters)
    }

    private func format(_ call: Call) throws -> Answer {
        let query = try call.form()["query"] ?? ""
        let expression: PromQLExpression
        do {
            expression = try PromQLParser.parse(query)
        } catch {
            throw APIError.parameter("query", error.description)
        }
        return PrometheusJSON.success { answer in answer.write { $0.string(expression.description) } }
    }

    /// A query that cannot be parsed is a bad parameter, and named so.
    private func naming<Value>(_ body: () async throws(QueryError) -> Value) async throws(APIError) -> Value {
        do {
            return try await body()
        } catch {
            guard error.code == .parse else { throw APIError(error) }
            throw .parameter("query", error.description)
        }
    }

    private func answer(_ result: PromQLResult, limit: Int?, context: QueryContext, parameters: PrometheusParameters) -> Answer {
        var result = result
        if let limit {
            switch result.value {
            case .vector(let samples) where samples.count > limit:
                result.value = .vector(Array(samples.prefix(limit)))
                result.warnings.append("results truncated due to limit")
            case .matrix(let series) where series.count > limit:
                result.value = .matrix(Array(series.prefix(limit)))
                result.warnings.append("results truncated due to limit")
            default:
                break
            }
        }
        let wantsStatistics = parameters.form.nonEmpty("stats") != nil
        let elapsed = context.elapsed.seconds
        return PrometheusJSON.success(warnings: result.warnings, infos: result.infos) { answer in
            answer.value(result.value, statistics: wantsStatistics ? { Self.statistics(&$0, context, elapsed) } : nil)
        }
    }

    /// Prometheus' `stats` (util/stats): the evaluation's time stands for all of it, since nothing here waits in a queue.
    private static func statistics(_ json: inout JSONWriter, _ context: QueryContext, _ seconds: Double) {
        json.key("stats")
        json.beginObject()
        json.key("timings")
        json.beginObject()
        json.field("evalTotalTime", seconds)
        json.field("resultSortTime", 0.0)
        json.field("queryPreparationTime", 0.0)
        json.field("innerEvalTime", seconds)
        json.field("execQueueTime", 0.0)
        json.field("execTotalTime", seconds)
        json.endObject()
        json.key("samples")
        json.beginObject()
        json.field("totalQueryableSamples", context.samplesRead)
        json.field("peakSamples", context.samplesRead)
        json.endObject()
        json.endObject()
    }
}

extension QueryContext {
    /// The time since it was made: its deadline lies that much nearer.
    fileprivate var elapsed: Duration {
        limits.timeout - (deadline - ContinuousClock.now)
    }
}
