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
        let (result, context) = try await evaluate(parameters, .one(at), call)
        return answer(result, limit: limit, context: context, parameters: parameters)
    }

    private func range(_ call: Call) async throws -> Answer {
        let parameters = try PrometheusParameters(call)
        let limit = try parameters.limit()
        let (result, context) = try await evaluate(parameters, rangeInstants(parameters), call)
        return answer(result, limit: limit, context: context, parameters: parameters)
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

    /// Evaluates the query of a request. What is wrong with the query itself is a bad parameter.
    private func evaluate(
        _ parameters: PrometheusParameters, _ instants: Instants, _ call: Call, plan: PlanRecorder? = nil
    ) async throws -> (PromQLResult, QueryContext) {
        let timeout = try parameters.timeout()
        let query = parameters.form["query"] ?? ""
        let engine = try parameters.lookback().map { self.engine.with(lookback: $0) } ?? self.engine
        return try await naming { () async throws(QueryError) in
            try await runner.run("promql", query, for: call, timeout: timeout) { context throws(QueryError) in
                let expression = try PromQLParser.parse(query, features: engine.options.features)
                switch instants {
                case .one(let time):
                    return (try await engine.instant(expression, text: query, at: time, context: context, plan: plan), context)
                case .range(let start, let end, let step):
                    guard expression.type == .vector || expression.type == .scalar else {
                        throw QueryError(
                            .parse,
                            "invalid expression type \(expression.type.rawValue.quoted) for range query, must be Scalar or instant Vector")
                    }
                    let result = try await engine.range(
                        expression, text: query, from: start, to: end, step: step, context: context, plan: plan)
                    return (result, context)
                }
            }
        }
    }

    /// Evaluates a query as `query` would, or as `query_range` where a start is given, and shows how that went instead of its result.
    private func explain(_ call: Call) async throws -> Answer {
        let parameters = try PrometheusParameters(call)
        let isRange = parameters.form.nonEmpty("start") != nil
        let instants = isRange ? try rangeInstants(parameters) : .one(try parameters.time("time") ?? time.milliseconds)
        let plan = PlanRecorder()
        let (result, context) = try await evaluate(parameters, instants, call, plan: plan)
        return PrometheusJSON.success(warnings: result.warnings, infos: result.infos) { answer in
            answer.write { json in
                json.beginObject()
                json.field("query", parameters.form["query"] ?? "")
                json.field("milliseconds", context.elapsed.seconds * 1_000)
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
