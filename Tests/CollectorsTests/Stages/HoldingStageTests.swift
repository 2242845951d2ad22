import Logging
import Telemetry
import Testing

@testable import Collectors

@Suite("Stages that hold lines back")
struct HoldingStageTests {
    private static let yaml = """
        - json: {expressions: {none: }}
        - multiline: {firstline: '^START', max_lines: 3, max_wait_time: 3s}
        - static_labels: {block: 'yes'}
        """

    private static func record(_ line: String, _ stream: String = "a", at timestamp: Int64 = 1) -> LogRecord {
        LogRecord(labels: Labels(["s": stream]), timestamp: timestamp, line: line)
    }

    @Test("lines belong to the block that the first one began, by stream; lines before the first block pass")
    func blocks() throws {
        let yaml = "- multiline: {firstline: '^START'}"
        var pipeline = try StageHarness.pipeline(yaml)
        var output: [LogRecord] = []
        let lines = [("not a start", "a"), ("START 1", "a"), ("START 1", "b"), ("c 1", "a"), ("c 1", "b"), ("START 2", "a"), ("c 2", "b")]
        for (index, (line, stream)) in lines.enumerated() { pipeline.process(Self.record(line, stream, at: Int64(index)), into: &output) }
        #expect(output.map(\.line) == ["not a start", "START 1\nc 1"])
        #expect(output[1].timestamp == 1)
        #expect(pipeline.holdsBack)
        pipeline.finish(into: &output)
        #expect(Set(output.dropFirst(2).map(\.line)) == ["START 1\nc 1\nc 2", "START 2"])
        #expect(!pipeline.holdsBack && pipeline.checkpoint.isEmpty)
    }

    @Test("a block ends with its last allowed line, and when nothing has come for as long as it may wait")
    func limits() throws {
        var pipeline = try StageHarness.pipeline(Self.yaml)
        var output: [LogRecord] = []
        for line in ["START", "1", "2", "3", "4"] { pipeline.process(Self.record(line), into: &output) }
        #expect(output.map(\.line) == ["START\n1\n2"])
        #expect(output[0].labels == Labels(["s": "a", "block": "yes"]))
        #expect(pipeline.nextFlush == StageHarness.now + 3_000_000_000)
        pipeline.flush(now: StageHarness.now + 2_999_999_999, into: &output)
        #expect(output.count == 1)
        pipeline.flush(now: StageHarness.now + 3_000_000_000, into: &output)
        // As in Promtail the rest has the time of the line that began the block.
        #expect(output.map(\.line) == ["START\n1\n2", "3\n4"] && output[1].timestamp == 1)
        #expect(pipeline.nextFlush == nil)
    }

    @Test("what is held back survives in a checkpoint, also within a match, and nothing is lost or doubled", arguments: 0...6)
    func checkpoint(cut: Int) throws {
        let yaml = """
            - cri:
            - match:
                selector: '{stream="stdout"}'
                stages:
                  - regex: {expression: '^(?P<first>\\S+)'}
                  - multiline: {firstline: '^START'}
                  - labels: {first: }
            """
        let lines = [
            "2026-01-01T00:00:00Z stdout F START 1", "2026-01-01T00:00:01Z stdout P a", "2026-01-01T00:00:02Z stderr P x ",
            "2026-01-01T00:00:03Z stdout F b", "2026-01-01T00:00:04Z stdout F START 2", "2026-01-01T00:00:05Z stderr F y",
        ]
        var whole: [LogRecord] = []
        var pipeline = try StageHarness.pipeline(yaml)
        for line in lines { pipeline.process(Self.record(line), into: &whole) }
        pipeline.finish(into: &whole)
        #expect(whole.map(\.line) == ["START 1\nab", "x y", "START 2"])

        var output: [LogRecord] = []
        var first = try StageHarness.pipeline(yaml)
        for line in lines.prefix(cut) { first.process(Self.record(line), into: &output) }
        let bytes = first.checkpoint
        var second = try StageHarness.pipeline(yaml)
        let isRestored = second.restore(bytes)
        #expect(isRestored)
        for line in lines.dropFirst(cut) { second.process(Self.record(line), into: &output) }
        second.finish(into: &output)
        #expect(output == whole)
    }

    @Test("a checkpoint of other stages, or a damaged one, is not taken up")
    func damage() throws {
        var pipeline = try StageHarness.pipeline(Self.yaml)
        var output: [LogRecord] = []
        pipeline.process(Self.record("START"), into: &output)
        let bytes = pipeline.checkpoint
        var other = try StageHarness.pipeline("- multiline: {firstline: x}")
        let isTaken = other.restore(bytes)
        #expect(!isTaken && !other.holdsBack)
        for count in 0..<bytes.count {
            var same = try StageHarness.pipeline(Self.yaml)
            let isRestored = same.restore(Array(bytes.prefix(count)))
            #expect(isRestored == (count == 0))
        }
    }
}
