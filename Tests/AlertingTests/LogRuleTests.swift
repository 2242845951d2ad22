import Foundation
import Logging
import PromQL
import Query
import Telemetry
import TestSupport
import Testing

@testable import Alerting

/// Rules in Loki's format.
@Suite("Rules over logs") struct LogRuleTests {
    static let text = """
        groups:
          - name: logs
            limit: 10
            rules:
              - record: app:errors:count
                expr: sum by (app) (count_over_time({app=~".+"} |= "error" [5m]))
                labels: {kind: recorded}
              - alert: Errors
                expr: sum by (app) (count_over_time({app=~".+"} |= "error" [5m])) > 1
                labels: {severity: page}
                annotations: {summary: "{{ $labels.app }}: {{ $value }}"}
        """

    @Test("record series and raise alerts like any others")
    func evaluate() async throws {
        let bench = RuleBench()
        let group = try #require(try RuleFile.parse(Self.text, file: "logs.yml", language: .logql).groups.first)
        #expect(group.rules.allSatisfy { $0.language == .logql })
        let surroundings = RuleSurroundings(
            engine: PromQLEngine(store: bench.store), store: bench.store, logger: Logger(label: "test"), externalLabels: .empty, externalURL: "")
        let loop = GroupLoop(
            group: group, options: RuleManagerOptions(), surroundings: surroundings, notifier: bench.notifier, time: bench.clock.source,
            adopting: [])
        var batch = TelemetryBatch()
        let now = bench.clock.milliseconds * 1_000_000
        batch.logs.streams = [
            LogBatch.Stream(labels: Labels(["app": "a"]), entries: (0..<3).map { LogEntry(timestamp: now - $0 - 1, line: "an error \($0)") }),
            LogBatch.Stream(labels: Labels(["app": "b"]), entries: [LogEntry(timestamp: now - 1, line: "error"), LogEntry(timestamp: now - 2, line: "fine")]),
        ]
        try await bench.store.append(batch)
        await bench.evaluate(loop)
        #expect(try await bench.values("app:errors:count").sorted() == [1, 3])
        #expect(bench.notifier.received.map(\.labels) == [Labels(["alertname": "Errors", "app": "a", "severity": "page"])])
        #expect(bench.notifier.received.first?.annotations["summary"] == "a: 3")
    }

    @Test("a group says what it is written in, and a wrong query is an error with its place")
    func languages() throws {
        let mixed = """
            groups:
              - name: p
                rules: [{record: a, expr: up}]
              - name: l
                type: logql
                rules: [{record: b, expr: 'rate({a="b"}[1m])'}]
            """
        #expect(try RuleFile.parse(mixed, file: "r.yml").groups.map(\.language) == [.promql, .logql])
        for (expression, part) in [(#"{a="b"}"#, "metric query"), ("rate({a=}[1m])", "parse error"), ("up", "parse error")] {
            let error = try #require(throws: RuleFile.LoadError.self) {
                try RuleFile.parse("groups: [{name: g, rules: [{record: a, expr: '\(expression)'}]}]", file: "r.yml", language: .logql)
            }
            #expect(error.description.contains(part), "\(error)")
            #expect(error.description.hasPrefix("r.yml:1:"))
        }
    }

    @Test("a group written as YAML reads the same")
    func yaml() throws {
        let groups = try RuleFile.parse(Self.text, file: "r.yml", language: .logql).groups
        #expect(try RuleFile.parse(RuleGroup.yaml(groups), file: "r.yml", language: .logql).groups == groups)
        #expect(try RuleFile.parseGroup(groups[0].yaml(), file: "r.yml", language: .logql) == groups[0])
    }
}
