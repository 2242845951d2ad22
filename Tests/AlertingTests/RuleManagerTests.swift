import Foundation
import Logging
import PromQL
import Query
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Alerting

/// A group that evaluates when told to, over a store in memory.
struct RuleBench {
    let store = MemoryStore()
    let clock = TestClock(milliseconds: 1_700_000_000_000)
    let notifier = RecordingNotifier()

    final class RecordingNotifier: AlertNotifier {
        private let alerts = Mutex<[Alert]>([])
        func notify(_ new: [Alert], of rule: Rule) { alerts.withLock { $0 += new } }
        var received: [Alert] { alerts.withLock { $0 } }
    }

    func loop(_ rules: String, adopting: [RuleState] = [], options: RuleManagerOptions = .init()) throws -> GroupLoop {
        let group = try #require(try RuleFile.parse("groups: [{name: g, rules: \(rules)}]", file: "r.yml").groups.first)
        let surroundings = RuleSurroundings(
            engine: PromQLEngine(store: store), store: store, logger: Logger(label: "test"),
            externalLabels: Labels(["region": "eu"]),
            externalURL: "http://apus")
        return GroupLoop(
            group: group, options: options, surroundings: surroundings, notifier: notifier, time: clock.source,
            adopting: adopting)
    }

    func set(_ name: String, _ value: Double, _ labels: KeyValuePairs<String, String> = [:]) async throws {
        var batch = TelemetryBatch()
        let series = batch.metrics.addSeries(Labels(labels.map { Label($0.key, $0.value) } + [Label("__name__", name)]))
        batch.metrics.append(series: series, timestamp: clock.milliseconds, value: value)
        try await store.append(batch)
    }

    /// Evaluates now; then a minute passes.
    func evaluate(_ loop: GroupLoop) async {
        await loop.evaluate(at: clock.milliseconds)
        clock.advance(milliseconds: 60_000)
    }

    func values(_ name: String) async throws -> [Double] {
        try await store.samples(named: name).sorted { $0.timestamp < $1.timestamp }.map(\.value)
    }
}

@Suite("RuleManager")
struct RuleManagerTests {
    @Test("a recording rule stores what it records, and the rule after it reads that")
    func recording() async throws {
        let bench = RuleBench()
        let loop = try bench.loop(
            "[{record: 'a:sum', expr: sum(a), labels: {x: 'y'}}, {record: 'a:double', expr: 'a:sum * 2'}, {record: one, expr: 1}]"
        )
        try await bench.set("a", 3, ["i": "1"])
        try await bench.set("a", 4, ["i": "2"])
        await bench.evaluate(loop)
        #expect(
            try await bench.store.samples(LabelMatcher("__name__", .equal, "a:sum")).keys.first
                == Labels(["__name__": "a:sum", "x": "y"]))
        #expect(try await bench.values("a:sum") == [7])
        #expect(try await bench.values("a:double") == [14])
        #expect(try await bench.values("one") == [1])
        let group = loop.snapshot
        #expect(group.rules.allSatisfy { $0.health == .ok })
        #expect(group.lastEvaluation == 1_700_000_000_000)
    }

    @Test("a recorded series that is gone gets a staleness marker")
    func staleness() async throws {
        let bench = RuleBench()
        let loop = try bench.loop("[{record: r, expr: 'a > 1'}]")
        try await bench.set("a", 5)
        await bench.evaluate(loop)
        try await bench.set("a", 0)
        await bench.evaluate(loop)
        await bench.evaluate(loop)
        #expect(try await bench.values("r").map(\.bitPattern) == [5, Staleness.marker].map(\.bitPattern))
    }

    @Test("a rule that fails says why, and the others go on")
    func failing() async throws {
        let bench = RuleBench()
        let loop = try bench.loop("[{record: r, expr: 'a * on() b'}, {record: s, expr: 1}]")
        for (name, label) in [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")] {
            try await bench.set(name, 1, ["i": label])
        }
        await bench.evaluate(loop)
        #expect(loop.snapshot.rules[0].health == .failed)
        #expect(!loop.snapshot.rules[0].lastError.isEmpty)
        #expect(loop.snapshot.rules[1].health == .ok)
        #expect(try await bench.values("s") == [1])
    }

    @Test("an alert pends, fires and is resolved; its series and the notifier tell so")
    func alerting() async throws {
        let bench = RuleBench()
        let loop = try bench.loop(
            "[{alert: Slow, expr: 'latency > 1', for: 1m, labels: {severity: page, who: '{{ $labels.job }}'}, "
                + "annotations: {summary: '{{ $labels.job }} takes {{ $value }}s in {{ $externalLabels.region }}'}}]")
        for value in [2.0, 3, 0.5] {
            try await bench.set("latency", value, ["job": "shop"])
            await bench.evaluate(loop)
            switch value {
            case 2: #expect(loop.snapshot.rules[0].state == .pending)
            case 3:
                #expect(loop.snapshot.rules[0].state == .firing)
                let alert = try #require(loop.snapshot.rules[0].alerts.first)
                #expect(
                    alert.labels == Labels(["alertname": "Slow", "job": "shop", "severity": "page", "who": "shop"]))
                #expect(alert.annotations == Labels(["summary": "shop takes 3s in eu"]))
                #expect(alert.value == 3)
                #expect(alert.activeAt == 1_700_000_000_000)
            default: #expect(loop.snapshot.rules[0].alerts.isEmpty)
            }
        }
        let series = try await bench.store.samples(LabelMatcher("__name__", .equal, "ALERTS"))
        #expect(series.count == 2)
        for state in ["firing", "pending"] {
            let samples = try #require(series.first { $0.key["alertstate"] == state }).value
            #expect(samples.map(\.value.bitPattern) == [1, Staleness.marker].map(\.bitPattern))
        }
        let forState = try await bench.values("ALERTS_FOR_STATE")
        #expect(forState.map(\.bitPattern) == [1_700_000_000, 1_700_000_000, Staleness.marker].map(\.bitPattern))
        #expect(bench.notifier.received.map(\.state) == [.firing, .inactive])
    }

    @Test("an annotation that cannot be expanded says so; the alert fires all the same")
    func brokenAnnotation() async throws {
        let bench = RuleBench()
        let loop = try bench.loop("[{alert: A, expr: 1, annotations: {x: '{{ .Nothing }}'}}]")
        await bench.evaluate(loop)
        let alert = try #require(loop.snapshot.rules[0].alerts.first)
        #expect(alert.state == .firing)
        #expect(alert.annotations["x"]?.hasPrefix("<error expanding template: template: __alert_A:1:") == true)
    }

    @Test("for goes on after a restart")
    func restart() async throws {
        let bench = RuleBench()
        let rules = "[{alert: A, expr: 'a > 1', for: 3m}]"
        let before = try bench.loop(rules)
        for _ in 0..<2 {
            try await bench.set("a", 2)
            await bench.evaluate(before)
        }
        // The process ends after the second evaluation: a minute of `for` has passed. It is back a minute later, which does not
        // count; two minutes are left.
        let after = try bench.loop(rules)
        var states: [AlertState] = []
        for _ in 0..<3 {
            try await bench.set("a", 2)
            await bench.evaluate(after)
            states.append(after.snapshot.rules[0].state)
        }
        #expect(states == [.pending, .pending, .firing])
    }

    @Test("a reload keeps the state of rules that stay and ends the series of those that go")
    func reload() async throws {
        let bench = RuleBench()
        let before = try bench.loop("[{alert: A, expr: 'a > 1', for: 1m}, {record: gone, expr: a}]")
        try await bench.set("a", 2)
        await bench.evaluate(before)
        let after = try bench.loop("[{alert: A, expr: 'a > 0', for: 1m}]", adopting: before.ruleStates)
        #expect(after.snapshot.rules[0].state == .pending)
        try await bench.set("a", 2)
        await bench.evaluate(after)
        #expect(after.snapshot.rules[0].state == .firing)
        #expect(try await bench.values("gone").map(\.bitPattern) == [2, Staleness.marker].map(\.bitPattern))
    }

    @Test("query_offset looks back and stamps what is recorded")
    func queryOffset() async throws {
        let bench = RuleBench()
        var options = RuleManagerOptions()
        options.queryOffset = .seconds(60)
        let loop = try bench.loop("[{record: r, expr: a}]", options: options)
        try await bench.set("a", 1)
        bench.clock.advance(milliseconds: 60_000)
        try await bench.set("a", 2)
        await bench.evaluate(loop)
        #expect(try await bench.store.samples(named: "r") == [Sample(timestamp: 1_700_000_000_000, value: 1)])
    }

    @Test("a manager that runs evaluates on schedule, takes a new file, and keeps the old one if the new one is broken")
    func running() async throws {
        let folder = try ScratchFolder()
        let path = folder.path + "/r.yml"
        func write(_ text: String) throws { try text.write(toFile: path, atomically: true, encoding: .utf8) }
        try write("groups: [{name: g, interval: 100ms, rules: [{record: r, expr: 1}]}]")
        let store = MemoryStore()
        let manager = RuleManager(
            files: [folder.path + "/*.yml"], engine: PromQLEngine(store: store), store: store,
            logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await manager.run() }
            try await until { try await store.samples(named: "r").count > 2 }
            try write("groups: [{name: g, rule: []}]")
            #expect(throws: RuleFile.LoadError.self) { try manager.apply(files: [path], options: RuleManagerOptions()) }
            #expect(manager.groups().count == 1)
            try write("groups: [{name: h, interval: 100ms, rules: [{alert: A, expr: 1}]}]")
            try manager.apply(files: [path], options: RuleManagerOptions())
            try await until { manager.alerts().first?.alert.state == .firing }
            try await until { try await store.samples(named: "r").contains { Staleness.isMarker($0.value) } }
            group.cancelAll()
        }
        let places = try await store.samples(named: "r").filter { !Staleness.isMarker($0.value) }.map {
            $0.timestamp % 100
        }
        #expect(Set(places).count == 1)
    }
}

/// Waits for a condition, up to ten seconds.
func until(_ condition: () async throws -> Bool) async throws {
    for _ in 0..<200 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("what was waited for did not come")
}
