import Foundation
import Settings
import Telemetry
import TestSupport
import Testing

@testable import Alerting

@Suite("RuleFile")
struct RuleFileTests {
    @Test("groups, rules and their settings are read")
    func reads() throws {
        let text = """
            groups:
              - name: shop
                interval: 30s
                limit: 10
                query_offset: 5s
                labels: {team: checkout}
                rules:
                  - record: job:requests:rate5m
                    expr: sum by (job) (rate(requests_total[5m]))
                  - alert: Slow
                    expr: latency > 1
                    for: 5m
                    keep_firing_for: 1m
                    labels: {severity: page}
                    annotations: {summary: "{{ $labels.job }} takes {{ $value | humanizeDuration }}"}
            """
        let group = try #require(try RuleFile.parse(text, file: "r.yml").groups.first)
        #expect(group.interval == .seconds(30))
        #expect(group.limit == 10)
        #expect(group.queryOffset == .seconds(5))
        #expect(group.rules[0].kind == .recording)
        #expect(group.rules[0].labels == Labels(["team": "checkout"]))
        #expect(group.rules[1].kind == .alerting)
        #expect(group.rules[1].holdDuration == .seconds(300))
        #expect(group.rules[1].keepFiringFor == .seconds(60))
        #expect(group.rules[1].labels == Labels(["severity": "page", "team": "checkout"]))
    }

    @Test("every error of a file is collected, each at its place")
    func collects() throws {
        let text = """
            groups:
              - name: a
                rules:
                  - record: x{y="z"}
                    expr: sum(
                    for: 1m
                  - alert: A
                    exprs: up
                  - alert: B
                    expr: up
                    labels: {__name__: x}
                    annotations: {summary: "{{ $labls.job }}"}
              - name: a
            """
        let error = try #require(throws: RuleFile.LoadError.self) { try RuleFile.parse(text, file: "r.yml") }
        let places = Set(error.errors.map { "\($0.line):\($0.column)" })
        #expect(places == ["5:15", "6:9", "4:17", "8:9", "7:9", "11:18", "12:32", "13:5"])
        #expect(
            error.errors.contains {
                $0.message == "unknown key in groups[0].rules[1]: \"exprs\"; did you mean \"expr\"?"
            })
        #expect(error.errors.contains { $0.message.contains("undefined variable \"$labls\"") })
    }

    @Test(
        "a rule that Prometheus refuses is refused",
        arguments: [
            ("{record: a, alert: b, expr: up}", "only one of 'record' and 'alert' must be set"),
            ("{expr: up}", "one of 'record' or 'alert' must be set"),
            ("{alert: a}", "field 'expr' must be set in rule"),
            ("{record: a, expr: up, keep_firing_for: 1m}", "invalid field 'keep_firing_for' in recording rule"),
            ("{record: a, expr: up, annotations: {a: b}}", "invalid field 'annotations' in recording rule"),
            ("{alert: a, expr: rate(up)}", "could not parse expression"),
            ("{alert: a, expr: up, for: soon}", "groups[0].rules[0].for: found \"soon\""),
            (
                "{alert: a, expr: up, annotations: {a: '{{ $labels.x * 100 }}'}}",
                "annotation \"a\": template: __alert_a:1: unexpected \"*\" in operand"
            ),
            (
                "{alert: a, expr: up, annotations: {a: '{{ nothing }}'}}",
                "annotation \"a\": template: __alert_a:1: function \"nothing\" not defined"
            ),
            ("{alert: a, expr: up, labels: [b]}", "groups[0].rules[0].labels: found a list, expected a mapping"),
        ])
    func refused(rule: String, message: String) throws {
        let error = try #require(throws: RuleFile.LoadError.self) {
            try RuleFile.parse("groups: [{name: g, rules: [\(rule)]}]", file: "r.yml")
        }
        #expect(error.errors.contains { $0.message.hasPrefix(message) }, "\(error)")
    }

    @Test("only the first document counts, with a warning")
    func documents() throws {
        let file = try RuleFile.parse("groups: [{name: a}]\n---\ngroups: [{name: b}]\n", file: "r.yml")
        #expect(file.groups.map(\.name) == ["a"])
        #expect(file.warnings.count == 1)
    }

    static func shared(_ folder: String) -> [String] {
        let path = SharedCases.folder.path + "/conformance/rules/" + folder
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted().map { path + "/" + $0 }
    }

    @Test(
        "rule files that Prometheus takes load", .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)),
        arguments: shared("load/good") + shared("real"))
    func good(path: String) throws {
        let file = try RuleFile.load(path: path)
        #expect(!file.groups.isEmpty)
    }

    @Test(
        "rule files that Prometheus refuses do not load",
        .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)),
        arguments: shared("load/bad"))
    func bad(path: String) throws {
        let names: NameValidation = path.contains("legacy_validation") ? .legacy : .utf8
        let error = try #require(throws: RuleFile.LoadError.self) { try RuleFile.load(path: path, names: names) }
        #expect(error.errors.allSatisfy { $0.line > 0 })
        if path.contains("two-bad") { #expect(error.errors.count == 2) }
    }
}
