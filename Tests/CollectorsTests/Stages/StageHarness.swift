import Logging
import Settings
import Telemetry
import Testing

@testable import Collectors

/// Pipelines of stages from YAML, at a fixed time.
struct StageHarness {
    /// 2026-01-02T03:04:05Z
    static let now: Int64 = 1_767_323_045_000_000_000
    static let metrics = StageMetrics()

    static func program(_ yaml: String) throws -> StageProgram {
        try StageProgram(try ConfigurationNode.parse(yaml, file: "stages.yaml"), job: "test")
    }

    static func pipeline(_ yaml: String, metrics: StageMetrics = StageMetrics(), now: Int64 = now) throws -> StagePipeline {
        try program(yaml).pipeline(
            environment: StageEnvironment(
                job: "test", metrics: metrics, time: TimeSource { now }, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
    }

    /// What comes out for lines, one after the other, and at the end.
    static func run(
        _ yaml: String, _ lines: [String], labels: Labels = Labels(["job": "test"]), timestamp: Int64 = now, metrics: StageMetrics = StageMetrics()
    ) throws -> [LogRecord] {
        var pipeline = try pipeline(yaml, metrics: metrics)
        var output: [LogRecord] = []
        for (index, line) in lines.enumerated() {
            pipeline.process(LogRecord(labels: labels, timestamp: timestamp + Int64(index), line: line), into: &output)
        }
        pipeline.finish(into: &output)
        return output
    }

    /// What comes out for one line; nil where it is dropped.
    static func one(
        _ yaml: String, _ line: String, labels: Labels = Labels(["job": "test"]), timestamp: Int64 = now
    ) throws -> LogRecord? {
        try run(yaml, [line], labels: labels, timestamp: timestamp).first
    }

    /// The message of what is wrong with stages.
    static func error(_ yaml: String) -> String? {
        do {
            _ = try program(yaml)
            return nil
        } catch {
            return "\(error)"
        }
    }
}

/// A pipeline, a line, and what becomes of it.
struct StageCase: Sendable, CustomTestStringConvertible {
    var name: String
    var yaml: String
    var line: String
    var labels: Labels = Labels(["job": "test"])
    var timestamp: Int64 = StageHarness.now
    /// nil: the line as it was.
    var expectedLine: String?
    var expectedLabels: Labels?
    var expectedMetadata: Labels = .empty
    var expectedTimestamp: Int64?
    var expectedTenant = ""
    var isDropped = false

    var testDescription: String { name }

    func check() throws {
        let record = try StageHarness.one(yaml, line, labels: labels, timestamp: timestamp)
        if isDropped {
            #expect(record == nil, "\(name)")
            return
        }
        let found = try #require(record, "\(name): nothing came out")
        #expect(found.line == expectedLine ?? line, "\(name)")
        #expect(found.labels == expectedLabels ?? labels, "\(name)")
        #expect(found.metadata == expectedMetadata, "\(name)")
        #expect(found.timestamp == expectedTimestamp ?? timestamp, "\(name)")
        #expect(found.tenant == expectedTenant, "\(name)")
    }
}
