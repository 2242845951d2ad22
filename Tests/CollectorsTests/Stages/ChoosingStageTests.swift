import Logging
import Telemetry
import Testing

@testable import Collectors

@Suite("Stages that drop, limit, match and count")
struct ChoosingStageTests {
    private static let found = "- json: {expressions: {level: , app: }}\n"
    private static let debug = #"{"level":"debug","app":"a"}"#

    static let cases: [StageCase] = [
        StageCase(name: "drop by a line's text", yaml: "- drop: {expression: '.*debug.*'}", line: "a debug line", isDropped: true),
        StageCase(name: "drop not", yaml: "- drop: {expression: '.*debug.*'}", line: "an info line"),
        StageCase(name: "drop where something was found", yaml: found + "- drop: {source: level}", line: debug, isDropped: true),
        StageCase(name: "drop by a value", yaml: found + "- drop: {source: level, value: debug}", line: debug, isDropped: true),
        StageCase(name: "drop not by another value", yaml: found + "- drop: {source: level, value: debu}", line: debug),
        StageCase(name: "drop by several sources", yaml: found + "- drop: {source: [level, app], separator: '#', expression: '^debug#a$'}", line: debug, isDropped: true),
        StageCase(name: "drop where not all sources are there", yaml: found + "- drop: {source: [level, none]}", line: debug),
        StageCase(name: "drop what is long", yaml: "- drop: {longer_than: 10b}", line: "12345678901", isDropped: true),
        StageCase(name: "drop not what is short", yaml: "- drop: {longer_than: 10}", line: "1234567890"),
        StageCase(
            name: "drop what is old", yaml: "- drop: {older_than: 1h}", line: "x", timestamp: StageHarness.now - 3_600_000_000_001, isDropped: true),
        StageCase(name: "drop not what is young", yaml: "- drop: {older_than: 1h}", line: "x", timestamp: StageHarness.now - 3_599_000_000_000),
        StageCase(
            name: "drop needs all its conditions", yaml: "- drop: {older_than: 1h, expression: 'y'}", line: "x",
            timestamp: StageHarness.now - 7_200_000_000_000),
        StageCase(
            name: "match runs stages", yaml: "- match: {selector: '{job=\"test\"}', stages: [{static_labels: {hit: 'yes'}}]}", line: "x",
            expectedLabels: Labels(["job": "test", "hit": "yes"])),
        StageCase(name: "match passes what it does not match", yaml: "- match: {selector: '{job=\"other\"}', stages: [{static_labels: {hit: 'yes'}}]}", line: "x"),
        StageCase(name: "match drops", yaml: "- match: {selector: '{job=~\"te.t\"} |= \"secret\"', action: drop}", line: "a secret", isDropped: true),
        StageCase(name: "match drops not", yaml: "- match: {selector: '{job=\"test\"} |~ \"^s\" != \"x\"', action: drop}", line: "so x"),
        StageCase(name: "match with an absent label", yaml: "- match: {selector: '{none!=\"a\", other=\"\"}', action: drop}", line: "x", isDropped: true),
        StageCase(name: "sampling nothing", yaml: "- sampling: {rate: 0}", line: "x", isDropped: true),
        StageCase(name: "sampling everything", yaml: "- sampling: {rate: 1}", line: "x"),
    ]

    @Test("a stage does with a line what Promtail does", arguments: cases)
    func stage(_ stage: StageCase) throws { try stage.check() }

    @Test("sampling keeps about its share")
    func sampling() throws {
        let kept = try StageHarness.run("- sampling: {rate: 0.25}", Array(repeating: "x", count: 10_000)).count
        #expect((2_200...2_800).contains(kept))
    }

    @Test("a limit drops what is over it, for all targets of its job together, and each value of a label has its own")
    func limits() throws {
        let metrics = StageMetrics()
        let program = try StageHarness.program("- limit: {rate: 1, burst: 3, drop: true}")
        let environment = StageEnvironment(
            job: "j", metrics: metrics, time: TimeSource { StageHarness.now }, logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
        var (first, second) = (program.pipeline(environment: environment), program.pipeline(environment: environment))
        var output: [LogRecord] = []
        for _ in 0..<2 {
            first.process(LogRecord(labels: .empty, timestamp: 1, line: "x"), into: &output)
            second.process(LogRecord(labels: .empty, timestamp: 1, line: "x"), into: &output)
        }
        #expect(output.count == 3)
        #expect(metrics.exposition(now: 0).contains("logentry_dropped_lines_total{reason=\"ratelimit_drop_stage\"} 1\n"))

        var byLabel = try StageHarness.pipeline("- limit: {rate: 1, burst: 1, drop: true, by_label_name: app}", metrics: metrics)
        output = []
        for app in ["a", "b", "a", "b", "c"] { byLabel.process(LogRecord(labels: Labels(["app": app]), timestamp: 1, line: app), into: &output) }
        #expect(output.map(\.line) == ["a", "b", "c"])
        #expect(metrics.exposition(now: 0).contains("logentry_dropped_lines_by_label_total{label_name=\"app\",label_value=\"a\"} 1\n"))
    }

    @Test("a limit that does not drop says how long the source must wait")
    func waiting() throws {
        var pipeline = try StageHarness.pipeline("- limit: {rate: 10, burst: 1}")
        var output: [LogRecord] = []
        pipeline.process(LogRecord(labels: .empty, timestamp: 1, line: "x"), into: &output)
        #expect(pipeline.delay == .zero)
        pipeline.process(LogRecord(labels: .empty, timestamp: 1, line: "x"), into: &output)
        #expect(pipeline.delay == .milliseconds(100))
        #expect(output.count == 2)
    }

    @Test("metrics count, add, set and observe, by the labels of the line, and go when they are idle")
    func metrics() throws {
        let metrics = StageMetrics()
        let yaml = """
            - json: {expressions: {time: , app: , code: }}
            - labels: {app: }
            - metrics:
                lines: {type: Counter, description: all lines, config: {match_all: true, action: inc}}
                bytes: {type: Counter, prefix: my_, config: {match_all: true, count_entry_bytes: true, action: add}}
                errors: {type: counter, source: code, config: {value: "500", action: inc}}
                last: {type: Gauge, source: time, config: {action: set}}
                took: {type: Histogram, source: time, max_idle_duration: 1h, config: {buckets: [0.1, 1]}}
            """
        let lines = [#"{"app":"a","time":"50ms","code":500}"#, #"{"app":"a","time":0.5,"code":200}"#, "no json"]
        _ = try StageHarness.run(yaml, lines, metrics: metrics)
        let text = metrics.exposition(now: StageHarness.now)
        #expect(text.contains("# HELP promtail_custom_lines all lines\n# TYPE promtail_custom_lines counter\n"))
        #expect(text.contains("promtail_custom_lines{app=\"a\",job=\"test\"} 2\n"))
        #expect(text.contains("promtail_custom_lines{job=\"test\"} 1\n"))
        #expect(text.contains("my_bytes{job=\"test\"} 7\n"))
        #expect(text.contains("promtail_custom_errors{app=\"a\",job=\"test\"} 1\n"))
        #expect(text.contains("promtail_custom_last{app=\"a\",job=\"test\"} 0.5\n"))
        #expect(text.contains("promtail_custom_took_bucket{app=\"a\",job=\"test\",le=\"0.1\"} 1\n"))
        #expect(text.contains("promtail_custom_took_bucket{app=\"a\",job=\"test\",le=\"+Inf\"} 2\n"))
        #expect(text.contains("promtail_custom_took_sum{app=\"a\",job=\"test\"} 0.55\n"))
        _ = metrics.exposition(now: StageHarness.now + 301_000_000_000)
        let later = metrics.exposition(now: StageHarness.now + 301_000_000_000)
        #expect(!later.contains("promtail_custom_lines{"))
        #expect(later.contains("promtail_custom_took_count{app=\"a\",job=\"test\"} 2\n"))
    }

    @Test("limits of all jobs drop, cut and refuse streams behind the stages")
    func recordLimits() throws {
        var limits = PromtailLimits()
        limits.lineByteCountMax = 4
        limits.cutsLongLines = true
        limits.streamCountMax = 2
        limits.lineRate = 1
        limits.lineBurst = 4
        let metrics = StageMetrics()
        let environment = StageEnvironment(
            job: "j", metrics: metrics, limits: RecordLimits(limits), time: TimeSource { StageHarness.now },
            logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
        var pipeline = StageProgram.empty.pipeline(environment: environment)
        var output: [LogRecord] = []
        for app in ["a", "b", "c", "a", "b", "a"] { pipeline.process(LogRecord(labels: Labels(["app": app]), timestamp: 1, line: "12345"), into: &output) }
        #expect(output.map { $0.labels["app"] } == ["a", "b", "a", "b"])
        #expect(output.map(\.line) == ["1234", "1234", "1234", "1234"])
        let text = metrics.exposition(now: 0)
        #expect(text.contains("{reason=\"stream_limited\"} 1\n") && text.contains("{reason=\"global_rate_limiter_drop\"} 1\n"))
    }
}
