import PromQL
import Query
import Testing

@Suite("PromQL: features and formatting")
struct FeatureTests {
    static let gated: [(query: String, flag: PromQLFeatures, message: String)] = [
        ("mad_over_time(x[5m])", .experimentalFunctions, "1:1: parse error: function \"mad_over_time\" is not enabled"),
        ("sum(info(x))", .experimentalFunctions, "1:5: parse error: function \"info\" is not enabled"),
        (
            "limitk(1, x)", .experimentalFunctions,
            "1:1: parse error: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions"
        ),
        ("x[5m + 1m]", .durationExpressions, "1:3: parse error: experimental duration expression is not enabled"),
        ("x offset (1m * 2)", .durationExpressions, "1:10: parse error: experimental duration expression is not enabled"),
        ("rate(x[5m] anchored)", .extendedRangeSelectors, "1:6: parse error: anchored modifier is experimental and not enabled"),
        ("x smoothed", .extendedRangeSelectors, "1:1: parse error: smoothed modifier is experimental and not enabled"),
        ("a + fill(0) b", .fillModifiers, "1:1: parse error: binop fill modifiers are experimental and not enabled"),
    ]

    @Test("experimental syntax parses behind its flag alone, and says which", arguments: gated)
    func gates(query: String, flag: PromQLFeatures, message: String) throws {
        _ = try PromQLParser.parse(query, features: flag)
        do {
            _ = try PromQLParser.parse(query, features: PromQLFeatures.syntax.subtracting(flag))
            Issue.record("\(query) parsed")
        } catch {
            #expect(error.description == message)
        }
    }

    @Test("stable syntax needs no flag", arguments: ["x offset -5m", "x[5m] @ 3", "x[300]", "sum_over_time(x[1h:])", "a + on (b) c"])
    func stable(query: String) throws {
        _ = try PromQLParser.parse(query, features: [])
    }

    @Test("long expressions are split over lines as Prometheus does")
    func pretty() throws {
        let query = "sum by (job, instance) (rate(http_requests_total{code=~\"5..\",handler=\"/api/v1/query\"}[5m])) / on (job) "
            + "group_left () histogram_quantile(0.99, sum by (le, job) (rate(http_request_duration_seconds_bucket{job=\"api\"}[5m])))"
        let pretty = try PromQLParser.parse(query).prettified
        #expect(
            pretty == """
                  sum by (job, instance) (rate(http_requests_total{code=~"5..",handler="/api/v1/query"}[5m]))
                / on (job) group_left ()
                  histogram_quantile(
                    0.99,
                    sum by (le, job) (rate(http_request_duration_seconds_bucket{job="api"}[5m]))
                  )
                """)
        #expect(try PromQLParser.parse(pretty) == PromQLParser.parse(query))
        #expect(try PromQLParser.parse("sum(a)by(b)").prettified == "sum by (b) (a)")
    }
}
