import Foundation
import Query
import Telemetry
import TestSupport
import Testing

@testable import Alerting

/// `promtool test rules`, its verdicts and its words.
@Suite("Rule unit tests")
struct RuleUnitTestTests {
    private func failures(_ tests: String, rules: String? = nil) async throws -> [String] {
        let folder = try ScratchFolder()
        if let rules { try rules.write(to: folder.url.appending(path: "rules.yml"), atomically: true, encoding: .utf8) }
        let path = folder.url.appending(path: "tests.yml").path
        return await RuleUnitTestRunner(try RuleUnitTestFile.parse(tests, file: path), path: path).failures()
    }

    static let rules = """
        groups:
          - name: g
            rules:
              - record: job:up:sum
                expr: sum by (job) (up)
              - alert: Down
                expr: up == 0
                for: 2m
                labels: {severity: page}
                annotations: {summary: "{{ $labels.instance }} is down"}
        """

    @Test("rules are evaluated step by step, alerts and expressions held against the tests")
    func passes() async throws {
        let tests = """
            rule_files: [rules.yml]
            tests:
              - input_series:
                  - {series: 'up{job="a", instance="x"}', values: '1 0x5'}
                promql_expr_test:
                  - {expr: 'job:up:sum', eval_time: 0, exp_samples: [{labels: 'job:up:sum{job="a"}', value: 1}]}
                  - {expr: 'ALERTS{alertstate="pending"}', eval_time: 2m, exp_samples: [
                      {labels: 'ALERTS{alertname="Down", alertstate="pending", instance="x", job="a", severity="page"}', value: 1}]}
                alert_rule_test:
                  - {eval_time: 2m, alertname: Down, exp_alerts: []}
                  - eval_time: 3m30s
                    alertname: Down
                    exp_alerts:
                      - {exp_labels: {severity: page, job: a, instance: x}, exp_annotations: {summary: x is down}}
            """
        #expect(try await failures(tests, rules: Self.rules) == [])
    }

    @Test("failures say what was expected and what came, as promtool does")
    func fails() async throws {
        let tests = """
            rule_files: [rules.yml]
            tests:
              - name: wrong
                input_series:
                  - {series: 'up{job="a", instance="x"}', values: '0x5'}
                promql_expr_test:
                  - {expr: 'up', eval_time: 1m, exp_samples: [{labels: 'up{job="a", instance="x"}', value: 1}]}
                alert_rule_test:
                  - {eval_time: 5m, alertname: Down, exp_alerts: []}
            """
        let failures = try await failures(tests, rules: Self.rules)
        #expect(
            failures == [
                """
                    name: wrong,
                    alertname: Down, time: 5m, 
                        exp:[], 
                        got:[
                            0:
                              Labels:{alertname="Down", instance="x", job="a", severity="page"}
                              Annotations:{summary="x is down"}
                            ]
                """,
                """
                    expr: "up", time: 1m,
                        exp: {__name__="up", instance="x", job="a"} 1E+00
                        got: {__name__="up", instance="x", job="a"} 0E+00
                """,
            ])
    }

    @Test("floats are compared exactly, or up to the last bit")
    func fuzzy() async throws {
        func tests(_ value: String, fuzzy: Bool) -> String {
            """
            fuzzy_compare: \(fuzzy)
            tests:
              - input_series: [{series: m, values: '\(value)'}]
                promql_expr_test: [{expr: m, eval_time: 0, exp_samples: [{labels: m, value: 3}]}]
            """
        }
        #expect(try await failures(tests("3.0000000000000004", fuzzy: true)).isEmpty)
        #expect(try await failures(tests("3.0000000000000004", fuzzy: false)).count == 1)
        #expect(try await failures(tests("3.0000000000000013", fuzzy: true)).count == 1)
    }

    static let wrong = [
        "tests: [{input_series: [{series: 'm{', values: '1'}]}]", "tests: [{nonsense: 1}]", "tests: [{interval: soon}]",
        "tests: [{alert_rule_test: [{eval_time: 1m}]}]", "group_eval_order: [a, a]", "tests: [{start_timestamp: yesterday}]",
    ]

    @Test("what is no file of tests is an error with its place", arguments: wrong)
    func rejects(text: String) {
        #expect(throws: (any Error).self) { try RuleUnitTestFile.parse(text, file: "t.yml") }
    }

    /// How many failures each file has: none where conformance/rules/expected.md says that it passes.
    static let shared: [(file: String, failures: Int)] = [
        ("unittest.yml", 0), ("long-period.yml", 0), ("no-test-group-interval.yml", 0), ("start-time-test.yml", 0),
        ("at-modifier-test.yml", 0), ("negative-offset-test.yml", 0), ("rules_run.yml", 1), ("rules_run_fuzzy.yml", 2),
        ("rules_run_no_fuzzy.yml", 2), ("failing.yml", 4), ("bad-promql.yml", 1), ("bad-rules-error-test.yml", 1),
        ("bad-rules-syntax-test.yml", 1),
    ]

    @Test(
        "Prometheus' own files get promtool's verdicts",
        .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)), arguments: shared)
    func sharedFiles(file: String, failures: Int) async throws {
        let path = SharedCases.folder.appending(path: "conformance/rules/unittests/\(file)").path
        let found = await RuleUnitTestRunner(try RuleUnitTestFile.load(path: path), path: path).failures()
        #expect(found.count == failures, "\(found.joined(separator: "\n"))")
    }

    @Test("only the groups asked for run")
    func selection() async throws {
        let file = try RuleUnitTestFile.parse(
            """
            tests:
              - {name: right, promql_expr_test: [{expr: '1', eval_time: 0, exp_samples: [{value: 1}]}]}
              - {name: wrong, promql_expr_test: [{expr: '1', eval_time: 0, exp_samples: [{value: 2}]}]}
            """, file: "t.yml")
        let runner = RuleUnitTestRunner(file, path: "t.yml")
        #expect(await runner.failures { $0 == "right" }.isEmpty)
        #expect(await runner.failures().count == 1)
    }

    @Test("rules that are alike are found, one for each copy")
    func duplicates() throws {
        let rule = Rule(kind: .recording, name: "a", expression: "b")
        var other = rule
        other.labels = Labels(["x": "1"])
        let groups = [RuleGroup(name: "g", file: "f", rules: [rule, other, rule]), RuleGroup(name: "h", file: "f", rules: [rule])]
        #expect(RuleLint.duplicates(groups).map(\.name) == ["a", "a"])
        #expect(RuleLint.duplicates([RuleGroup(name: "g", file: "f", rules: [rule, other])]).isEmpty)
    }
}
