import Foundation
import Query
import Server
import Telemetry
import TestSupport
import Testing

/// Prometheus' JSON, byte for byte.
@Suite("Prometheus API") struct PrometheusAPITests {
    /// `requests_total` of two codes: 0, 10, 20… and 0, 1, 2… every 15 s from 1000 s on.
    static func fill(_ store: MemoryStore) async throws {
        var batch = TelemetryBatch()
        for (code, factor) in [("200", 10.0), ("500", 1.0)] {
            let series = batch.metrics.addSeries(Labels(["__name__": "requests_total", "code": code, "job": "api"]))
            for step in 0..<20 { batch.metrics.append(series: series, timestamp: 1_000_000 + Int64(step) * 15_000, value: Double(step) * factor) }
        }
        batch.metrics.metadata = [MetricMetadata(family: "requests_total", kind: .counter, help: "Requests \"all\" <of> them.")]
        try await store.append(batch)
    }

    /// A path and query, the status, and the whole body.
    static let cases: [(path: String, status: Int, body: String)] = [
        ("query?query=1/0&time=4", 200, #"{"status":"success","data":{"resultType":"scalar","result":[4,"+Inf"]}}"#),
        ("query?query=%22a%22&time=4.5", 200, #"{"status":"success","data":{"resultType":"string","result":[4.500,"a"]}}"#),
        ("query?query=vector(1e-7)&time=1970-01-01T00:00:04.005Z", 200,
            #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[4.005,"1e-07"]}]}}"#),
        ("query?query=requests_total%7Bcode=%22500%22%7D&time=1285", 200,
            #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"requests_total","code":"500","job":"api"},"value":[1285,"19"]}]}}"#),
        ("query_range?query=requests_total%7Bcode=%22500%22%7D&start=1000&end=1030&step=15s", 200,
            #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"requests_total","code":"500","job":"api"},"values":[[1000,"0"],[1015,"1"],[1030,"2"]]}]}}"#),
        ("query?query=requests_total&time=1285&limit=1", 200,
            #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"requests_total","code":"200","job":"api"},"value":[1285,"190"]}]},"warnings":["results truncated due to limit"]}"#),
        ("labels", 200, #"{"status":"success","data":["__name__","code","job"]}"#),
        ("label/code/values", 200, #"{"status":"success","data":["200","500"]}"#),
        ("label/U__code/values?match%5B%5D=requests_total%7Bcode!=%22200%22%7D", 200, #"{"status":"success","data":["500"]}"#),
        ("series?match%5B%5D=requests_total%7Bcode=%22200%22%7D", 200,
            #"{"status":"success","data":[{"__name__":"requests_total","code":"200","job":"api"}]}"#),
        ("metadata", 200,
            #"{"status":"success","data":{"requests_total":[{"type":"counter","help":"Requests \"all\" \u003cof\u003e them.","unit":""}]}}"#),
        ("format_query?query=sum(a)by(b)", 200, #"{"status":"success","data":"sum by (b) (a)"}"#),
        ("parse_query?query=-sum(a%7Bb!=%22c%22%7D%5B5m%5D%20offset%201m)", 400,
            #"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:6: parse error: expected type instant vector in aggregation expression, got range vector"}"#),
        ("parse_query?query=rate(a%7Bb!=%22c%22%7D%5B5m%5D%20offset%201m)%20%3E%20bool%202", 200,
            #"{"status":"success","data":{"type":"binaryExpr","op":"\u003e","lhs":{"type":"call","func":{"name":"rate","argTypes":["matrix"],"variadic":0,"returnType":"vector"},"args":[{"type":"matrixSelector","range":300000,"name":"a","offset":60000,"matchers":[{"name":"__name__","value":"a","type":"="},{"name":"b","value":"c","type":"!="}],"timestamp":null,"startOrEnd":null}]},"rhs":{"type":"numberLiteral","val":"2"},"matching":null,"bool":true}}"#),
        ("parse_query?query=sum%20by%20(x)%20(a%20@%20end())", 200,
            #"{"status":"success","data":{"type":"aggregation","op":"sum","expr":{"type":"vectorSelector","name":"a","offset":0,"matchers":[{"name":"__name__","value":"a","type":"="}],"timestamp":null,"startOrEnd":"end"},"param":null,"grouping":["x"],"without":false}}"#),
        ("query_range?query=requests_total%5B5m%5D&start=1000&end=1030&step=15", 400,
            #"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": invalid expression type \"range vector\" for range query, must be Scalar or instant Vector"}"#),
        ("query?query=count(requests_total)&time=1400&lookback_delta=1m", 200,
            #"{"status":"success","data":{"resultType":"vector","result":[]}}"#),
        ("query?query=count(requests_total)&time=1400&lookback_delta=3m", 200,
            #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1400,"2"]}]}}"#),
        ("targets/metadata", 200, #"{"status":"success","data":[]}"#),
        ("scrape_pools", 200, #"{"status":"success","data":{"scrapePools":[]}}"#),
        ("query?query=up&time=yesterday", 400,
            #"{"status":"error","errorType":"bad_data","error":"invalid parameter \"time\": invalid time value for 'time': cannot parse \"yesterday\" to a valid timestamp"}"#),
        ("query_range?query=up&start=0&end=100000&step=1", 400,
            #"{"status":"error","errorType":"bad_data","error":"exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"}"#),
        ("query_range?query=up&start=10&end=1&step=1", 400,
            #"{"status":"error","errorType":"bad_data","error":"invalid parameter \"end\": end timestamp must not be before start time"}"#),
        ("query_range?query=up&start=1&end=10&step=0", 400,
            #"{"status":"error","errorType":"bad_data","error":"invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer"}"#),
        ("series", 400, #"{"status":"error","errorType":"bad_data","error":"no match[] parameter provided"}"#),
        ("series?match%5B%5D=%7Ba=%22%22%7D", 400,
            #"{"status":"error","errorType":"bad_data","error":"invalid parameter \"match[]\": match[] must contain at least one non-empty matcher"}"#),
        ("labels?start=5&end=1", 200, #"{"status":"success","data":[]}"#),
        ("metadata?limit=0", 200, #"{"status":"success","data":{}}"#),
        ("metadata?limit=x", 400, #"{"status":"error","errorType":"bad_data","error":"limit must be a number"}"#),
        ("query_exemplars?query=up&start=5&end=1", 400,
            #"{"status":"error","errorType":"bad_data","error":"end timestamp must not be before start timestamp"}"#),
        ("rules?group_limit=0", 400,
            #"{"status":"error","errorType":"bad_data","error":"invalid parameter \"group_limit\": group_limit needs to be greater than 0"}"#),
        ("rules?group_next_token=x", 400,
            #"{"status":"error","errorType":"bad_data","error":"invalid parameter \"group_next_token\": group_limit needs to be present in order to paginate over the groups"}"#),
        ("rules?group_limit=1&group_next_token=x", 400,
            #"{"status":"error","errorType":"bad_data","error":"invalid parameter \"group_next_token\": invalid group_next_token 'x'. were rule groups changed?"}"#),
        ("query?query=up&limit=-1", 400,
            #"{"status":"error","errorType":"bad_data","error":"invalid parameter \"limit\": limit must be non-negative"}"#),
        ("status/config", 200, #"{"status":"success","data":{"yaml":""}}"#),
        ("rules", 200, #"{"status":"success","data":{"groups":[]}}"#),
        ("alerts", 200, #"{"status":"success","data":{"alerts":[]}}"#),
        ("targets", 200, #"{"status":"success","data":{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}}}"#),
    ]

    @Test("every answer is Prometheus' own")
    func answers() async throws {
        try await TestServer.run { server in
            try await Self.fill(server.store)
            for row in Self.cases {
                let reply = try await server.get("/api/v1/" + row.path)
                #expect(reply.status == row.status, "\(row.path)")
                #expect(reply.text == row.body, "\(row.path)")
                #expect(reply.header("Content-Type") == "application/json")
            }
        }
    }

    @Test("a POSTed form is read like the query string, and wins over it")
    func forms() async throws {
        try await TestServer.run { server in
            let reply = try await server.post(
                "/api/v1/query?query=2", type: "application/x-www-form-urlencoded", body: Array("query=vector%281%29%2B0&time=4".utf8))
            #expect(reply.text == #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[4,"1"]}]}}"#)
        }
    }

    @Test("a query that cannot be parsed says where; one that cannot be evaluated is 422")
    func queryErrors() async throws {
        try await TestServer.run { server in
            try await Self.fill(server.store)
            let unparsed = try await server.get("/api/v1/query?query=sum((")
            #expect(unparsed.status == 400)
            #expect(unparsed.text.contains(#""errorType":"bad_data","error":"invalid parameter \"query\": 1:6: parse error: "#))
            let failed = try await server.get("/api/v1/query?time=1285&query=requests_total%20%2B%20on(job)%20requests_total")
            #expect(failed.status == 422)
            #expect(failed.text.contains(#""errorType":"execution""#))
        }
    }

    @Test("a query over its budget of samples is 422, one over its time 503")
    func limits() async throws {
        try await TestServer.run(configuration: "limits: {query_samples: 5}\n") { server in
            try await Self.fill(server.store)
            let reply = try await server.get("/api/v1/query?time=1285&query=sum_over_time(requests_total%5B5m%5D)")
            #expect(reply.status == 422)
            #expect(reply.text.contains("too many samples"))
        }
        try await TestServer.run { server in
            try await Self.fill(server.store)
            let reply = try await server.get("/api/v1/query?time=1285&timeout=0.000000001&query=requests_total")
            #expect(reply.status == 200 || reply.text.contains(#""errorType":"timeout""#))
        }
    }

    @Test("the build information names no features, which Grafana would take for Mimir's")
    func buildInformation() async throws {
        try await TestServer.run { server in
            let text = try await server.get("/api/v1/status/buildinfo").text
            #expect(text.contains(#""version":"#) && !text.contains("features"))
        }
    }
}
