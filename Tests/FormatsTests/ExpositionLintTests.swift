import Formats
import Testing

@Suite("ExpositionLint")
struct ExpositionLintTests {
    static let cases: [(text: String, problems: [String])] = [
        ("# HELP a_total x\n# TYPE a_total counter\na_total 1\n", []),
        ("# HELP a x\n# TYPE a counter\na 1\n", [#"a counter metrics should have "_total" suffix"#]),
        ("# HELP a_total x\n# TYPE a_total gauge\na_total 1\n", [#"a_total non-counter metrics should not have "_total" suffix"#]),
        ("a_total 1\n", ["a_total no help text"]),
        ("# HELP b_ms x\nb_ms 1\n", ["b_ms metric names should not contain abbreviated units"]),
        ("# HELP b_kilobytes x\nb_kilobytes 1\n", [#"b_kilobytes use base unit "bytes" instead of "kilobytes""#]),
        ("# HELP b_minutes x\nb_minutes 1\n", [#"b_minutes use base unit "seconds" instead of "minutes""#]),
        ("# HELP aB x\naB{cD=\"1\"} 1\n", [
            "aB label names should be written in 'snake_case' not 'camelCase'",
            "aB metric names should be written in 'snake_case' not 'camelCase'",
        ]),
        ("# HELP a:b x\na:b 1\n", ["a:b metric names should not contain ':'"]),
        ("# HELP a_gauge_x x\na_gauge_x 1\n", ["a_gauge_x metric name should not include type 'gauge'"]),
        ("# HELP a_count x\n# TYPE a_count gauge\na_count{le=\"1\",quantile=\"1\"} 1\n", [
            #"a_count non-histogram and non-summary metrics should not have "_count" suffix"#,
            #"a_count non-histogram metrics should not have "le" label"#,
            #"a_count non-summary metrics should not have "quantile" label"#,
        ]),
        ("# HELP h x\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n", []),
        ("# HELP t x\n# TYPE t summary\nt{quantile=\"0.5\"} 1\nt_sum 1\nt_count 1\n", []),
    ]

    @Test("bad names are told in promlint's words", arguments: cases.indices)
    func problems(index: Int) throws {
        let (text, problems) = Self.cases[index]
        let bytes = Array(text.utf8)
        let result = try Exposition.parse(bytes, contentType: nil, defaultTimestamp: 0, honorTimestamps: true)
        #expect(ExpositionLint.problems(result).map { "\($0.metric) \($0.text)" } == problems)
    }

    @Test("families are counted by their series, the largest first")
    func cardinalities() throws {
        let bytes = Array("# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\na 1\nb 1\n".utf8)
        let result = try Exposition.parse(bytes, contentType: nil, defaultTimestamp: 0, honorTimestamps: true)
        let rows = ExpositionLint.cardinalities(result)
        #expect(rows.map(\.metric) == ["h", "a", "b"] && rows.map(\.seriesCount) == [4, 1, 1])
    }
}
