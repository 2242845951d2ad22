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
            .form("/api/v1/query", scope: .query, errors: .prometheus) { try await instant($0) }.on(.query),
            .form("/api/v1/query_range", scope: .query, errors: .prometheus) { try await range($0) }.on(.query),
            .form("/api/v1/explain", scope: .query, errors: .prometheus) { try await explain($0) },
            .form("/api/v1/format_query", scope: .query, errors: .prometheus) { try format($0) },
            .form("/api/v1/parse_query", scope: .query, errors: .prometheus) { try parse($0) },
        ]
    }

    /// The instants of a request: one, or a range.
    private enum Instants {
        case one(Int64)
        case range(start: Int64, end: Int64, step: Int64)
    }

    private func instant(_ call: Call) async throws -> Answer {
        let parameters = try PrometheusParameters(call)
        let limit = try parameters.limit()
        let at = try parameters.time("time") ?? time.milliseconds
        return answer(try await evaluate(parameters, .one(at), call), limit: limit, parameters: parameters)
    }

    private func range(_ call: Call) async throws -> Answer {
        let parameters = try PrometheusParameters(call)
        let limit = try parameters.limit()
        return answer(try await evaluate(parameters, rangeInstants(parameters), call), limit: limit, parameters: parameters)
    }

    private func rangeInstants(_ parameters: PrometheusParameters) throws -> Instants {
        let start = try parameters.requiredTime("start")
        let end = try parameters.requiredTime("end")
        guard end >= start else { throw APIError.parameter("end", "end timestamp must not be before start time") }
        let step = try parameters.stepMilliseconds()
        guard (end - start) / step <= Limits.pointsPerSeriesMax else {
            throw APIError(
                .badRequest,
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)")
        }
        return .range(start: start, end: end, step: step)
    }

    /// A query's result, and what it took.
    private struct Evaluation: Sendable {
        var result: PromQLResult
        let context: QueryContext
        /// Until one of the places for queries was free.
        let queued: Duration
        let parsed: Duration
        let evaluated: Duration
    }

    /// Evaluates the query of a request. What is wrong with the query itself is a bad parameter.
    private func evaluate(
        _ parameters: PrometheusParameters, _ instants: Instants, _ call: Call, plan: PlanRecorder? = nil
    ) async throws -> Evaluation {
        let asked = ContinuousClock.now
        let timeout = try parameters.timeout()
        let query = parameters.form["query"] ?? ""
        let engine = try parameters.lookback().map { self.engine.with(lookback: $0) } ?? self.engine
        let origin = PromQLOrigin.request(method: call.method.rawValue, path: call.path)
        return try await naming { () async throws(QueryError) in
            try await runner.run("promql", query, for: call, timeout: timeout) { context throws(QueryError) in
                let started = ContinuousClock.now
                let expression = try PromQLParser.parse(query, features: engine.options.features)
                let parsed = ContinuousClock.now
                let result: PromQLResult
                switch instants {
                case .one(let time):
                    result = try await origin.asking { () async throws(QueryError) in
                        try await engine.instant(expression, text: query, at: time, context: context, plan: plan)
                    }
                case .range(let start, let end, let step):
                    guard expression.type == .vector || expression.type == .scalar else {
                        throw QueryError(
                            .parse,
                            "invalid expression type \(expression.type.rawValue.quoted) for range query, must be Scalar or instant Vector")
                    }
                    result = try await origin.asking { () async throws(QueryError) in
                        try await engine.range(expression, text: query, from: start, to: end, step: step, context: context, plan: plan)
                    }
                }
                return Evaluation(
                    result: result, context: context, queued: started - asked, parsed: parsed - started, evaluated: ContinuousClock.now - parsed)
            }
        }
    }

    /// Evaluates a query as `query` would, or as `query_range` where a start is given, and shows how that went instead of its result.
    private func explain(_ call: Call) async throws -> Answer {
        let parameters = try PrometheusParameters(call)
        let isRange = parameters.form.nonEmpty("start") != nil
        let instants = isRange ? try rangeInstants(parameters) : .one(try parameters.time("time") ?? time.milliseconds)
        let plan = PlanRecorder()
        let evaluation = try await evaluate(parameters, instants, call, plan: plan)
        let (result, context) = (evaluation.result, evaluation.context)
        return PrometheusJSON.success(warnings: result.warnings, infos: result.infos) { answer in
            answer.write { json in
                json.beginObject()
                json.field("query", parameters.form["query"] ?? "")
                json.field("milliseconds", (evaluation.parsed + evaluation.evaluated).seconds * 1_000)
                json.field("samples", context.samplesRead)
                json.field("bytesPeak", context.bytesPeak)
                json.key("plan")
                if let root = plan.root { ExplainJSON.write(root, &json) } else { json.null() }
                json.endObject()
            }
        }
    }

    private func format(_ call: Call) throws -> Answer {
        let expression = try parsed(call)
        return PrometheusJSON.success { answer in answer.write { $0.string(expression.prettified) } }
    }

    private func parse(_ call: Call) throws -> Answer {
        let expression = try parsed(call)
        return PrometheusJSON.success { answer in answer.write { SyntaxTreeJSON.write(expression, &$0) } }
    }

    private func parsed(_ call: Call) throws -> PromQLExpression {
        do {
            return try PromQLParser.parse(try call.form()["query"] ?? "", features: engine.options.features)
        } catch let error as QueryError {
            throw APIError.parameter("query", error.description)
        }
    }

    /// A query that cannot be parsed is a bad parameter, and named so.
    private func naming<Value>(_ body: () async throws(QueryError) -> Value) async throws(APIError) -> Value {
        do {
            return try await body()
        } catch {
            // Prometheus says where in its course a query was.
            if error.code == .timeout, error.message == "query timed out" {
                throw APIError(.timeout, "query timed out in expression evaluation")
            }
            guard error.code == .parse else { throw APIError(error) }
            throw .parameter("query", error.description)
        }
    }

    private func answer(_ evaluation: Evaluation, limit: Int?, parameters: PrometheusParameters) -> Answer {
        var result = evaluation.result
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
        return PrometheusJSON.success(warnings: result.warnings, infos: result.infos) { answer in
            answer.value(result.value, statistics: wantsStatistics ? { Self.statistics(&$0, evaluation) } : nil)
        }
    }

    /// Prometheus' `stats` (util/stats). Series come out of the evaluation in their order, so nothing is sorted after it.
    private static func statistics(_ json: inout JSONWriter, _ evaluation: Evaluation) {
        let (queued, parsed, evaluated) = (evaluation.queued.seconds, evaluation.parsed.seconds, evaluation.evaluated.seconds)
        json.key("stats")
        json.beginObject()
        json.key("timings")
        json.beginObject()
        json.field("evalTotalTime", parsed + evaluated)
        json.field("resultSortTime", 0.0)
        json.field("queryPreparationTime", parsed)
        json.field("innerEvalTime", evaluated)
        json.field("execQueueTime", queued)
        json.field("execTotalTime", queued + parsed + evaluated)
        json.endObject()
        json.key("samples")
        json.beginObject()
        json.field("totalQueryableSamples", evaluation.context.samplesRead)
        json.field("peakSamples", evaluation.context.samplesRead)
        json.endObject()
        json.endObject()
    }
}
