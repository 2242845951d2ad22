import Codecs
import Logging
import Telemetry
import TestSupport
import Testing

@testable import Collectors

/// Files that zap and zerolog wrote, through a `promtail.yaml` as their users have it.
@Suite("zap and zerolog through promtail.yaml", .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)))
struct CapturedLogTests {
    static let yaml = """
        scrape_configs:
          - job_name: zap
            pipeline_stages:
              - json: {expressions: {level: , ts: , service: , logger: , status: }}
              - timestamp: {source: ts, format: Unix}
              - labels: {level: , service: , logger: }
              - match: {selector: '{level="debug"} |= "cache"', action: drop, drop_counter_reason: noise}
          - job_name: zerolog
            pipeline_stages:
              - json: {expressions: {level: , time: , service: , message: }}
              - timestamp: {source: time, format: RFC3339Nano}
              - labels: {level: , service: }
              - structured_metadata: {message: }
          - job_name: zap-iso
            pipeline_stages:
              - json: {expressions: {severity: , timestamp: }}
              - timestamp: {source: timestamp, format: '2006-01-02T15:04:05.000Z07:00'}
              - labels: {level: severity}
              - template: {source: level, template: '{{ ToLower .Value }}'}
          - job_name: zerolog-ms
            pipeline_stages:
              - json: {expressions: {severity: , ts: }}
              - timestamp: {source: ts, format: UnixMs}
              - labels: {severity: }
          - job_name: docker
            pipeline_stages: [{docker: {}}, {json: {expressions: {level: }}}, {labels: {level: }}]
          - job_name: cri
            pipeline_stages: [{cri: {}}, {json: {expressions: {level: }}}, {labels: {level: }}]
          - job_name: console
            pipeline_stages:
              - multiline: {firstline: '^\\d{4}-\\d{2}-\\d{2}T'}
              - regex: {expression: '^(?P<time>\\S+)\\t(?P<level>[A-Z]+)\\t'}
              - timestamp: {source: time, format: RFC3339Nano}
              - labels: {level: }
        """

    static func run(_ job: String, _ file: String, metrics: StageMetrics = StageMetrics()) throws -> (lines: [String], records: [LogRecord]) {
        let configuration = try PromtailConfiguration.parse(yaml, file: "promtail.yaml")
        let program = try #require(configuration.jobs.first { $0.name == job }).program
        var pipeline = program.pipeline(
            environment: StageEnvironment(
                job: job, metrics: metrics, time: TimeSource { StageHarness.now }, logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() }))
        let lines = try SharedCases.text("conformance/captures/logs/" + file).split(separator: "\n").map { String($0) }
        var records: [LogRecord] = []
        for line in lines { pipeline.process(LogRecord(labels: Labels(["job": job]), timestamp: 1, line: line), into: &records) }
        pipeline.finish(into: &records)
        return (lines, records)
    }

    @Test("zap's production lines keep their bytes, get their own time and labels, and the noise is dropped and counted")
    func zap() throws {
        let metrics = StageMetrics()
        let (lines, records) = try Self.run("zap", "zap-production.jsonl", metrics: metrics)
        let kept = lines.filter { !($0.contains("\"debug\"") && $0.contains("cache")) }
        #expect(records.map(\.line) == kept && kept.count < lines.count)
        #expect(records[0].timestamp == 1_795_353_599_502_805_700)
        #expect(records[0].labels == Labels(["job": "zap", "level": "info", "service": "shop", "logger": "http"]))
        #expect(metrics.exposition(now: 0).contains("{reason=\"noise\"} \(lines.count - kept.count)\n"))
    }

    @Test("zerolog's lines keep their bytes and get their own time, labels and structured metadata")
    func zerolog() throws {
        let (lines, records) = try Self.run("zerolog", "zerolog-default.jsonl")
        #expect(records.map(\.line) == lines)
        #expect(records[0].timestamp == 1_795_353_599_589_935_590)
        #expect(records[0].labels == Labels(["job": "zerolog", "level": "info", "service": "shop"]) && records[0].metadata["message"] == "request")
        #expect(records[2].metadata["message"] == "slow query żółć 日本 \"q\" \\ \t\n<html>&")
    }

    @Test("renamed keys and other times are read too")
    func renamed() throws {
        let iso = try Self.run("zap-iso", "zap-iso8601-renamed-keys.jsonl")
        #expect(iso.records.map(\.line) == iso.lines && iso.records[0].timestamp == 1_795_353_599_536_000_000 && iso.records[0].labels["level"] == "INFO")
        let milliseconds = try Self.run("zerolog-ms", "zerolog-unixms-renamed-keys.jsonl")
        #expect(milliseconds.records.map(\.line) == milliseconds.lines && milliseconds.records[0].timestamp == 1_795_353_599_596_000_000)
    }

    @Test("Docker's and the container runtimes' records give back the lines that zap wrote", arguments: [("docker", "docker-json-file.log"), ("cri", "cri.log")])
    func containers(job: String, file: String) throws {
        let (raw, records) = try Self.run(job, file)
        // What the container wrote: the texts of the records, end to end.
        var written = ""
        for line in raw {
            if job == "docker" {
                written += try JSONValue(parsing: Array(line.utf8).span)["log"]?.string ?? ""
            } else {
                let parts = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
                written += parts[3] + (parts[2] == "F" ? "\n" : "")
            }
        }
        let lines = written.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { String($0) }
        #expect(records.map(\.line) == lines && lines.contains { $0.utf8.count > 32_768 })
        #expect(records.allSatisfy { $0.labels["stream"] != nil && $0.timestamp > 1_700_000_000_000_000_000 })
        let zap = Set(try SharedCases.text("conformance/captures/logs/zap-production.jsonl").split(separator: "\n").map { String($0) })
        #expect(records.count { zap.contains($0.line) && $0.labels["level"] != nil } > 50)
    }

    @Test("lines of zap's console that go over several lines come out as one")
    func console() throws {
        let (lines, records) = try Self.run("console", "zap-console.txt")
        #expect(records.count < lines.count && records.map(\.line).joined(separator: "\n") == lines.joined(separator: "\n"))
        #expect(records.allSatisfy { $0.labels["level"] != nil && $0.timestamp > 1_795_353_599_000_000_000 })
    }
}
