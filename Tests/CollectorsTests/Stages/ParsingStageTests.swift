import Telemetry
import Testing

@testable import Collectors

@Suite("Stages that parse lines")
struct ParsingStageTests {
    static let cases: [StageCase] = [
        // json
        StageCase(
            name: "json extracts by name and by path, numbers, booleans and objects as text",
            yaml: """
                - json: {expressions: {level: , status: http.status, ok: , user: "user", ids: "ids[0]", all: ids}}
                - labels: {level: , status: , ok: , user: , ids: , all: }
                """,
            line: #"{"level":"warn","http":{"status":503.0},"ok":true,"user":{"a":1,"b":"<x>"},"ids":[7,8]}"#,
            expectedLabels: Labels([
                "job": "test", "level": "warn", "status": "503", "ok": "true", "user": #"{"a":1,"b":"\u003cx\u003e"}"#, "ids": "7", "all": "[7,8]",
            ])),
        StageCase(
            name: "json that is none leaves the line alone", yaml: "- json: {expressions: {level: }}\n- labels: {level: }", line: "level=warn"),
        StageCase(
            name: "json drops what is malformed where it is told to", yaml: "- json: {expressions: {level: }, drop_malformed: true}",
            line: "{\"level\":", isDropped: true),
        StageCase(
            name: "json parses what another stage has found",
            yaml: """
                - json: {expressions: {extra: }}
                - json: {source: extra, expressions: {user: }}
                - labels: {user: }
                """,
            line: #"{"extra":"{\"user\":\"marco\"}"}"#, expectedLabels: Labels(["job": "test", "user": "marco"])),
        StageCase(
            name: "a null is found, but is no label", yaml: "- json: {expressions: {a: }}\n- labels: {a: }", line: #"{"a":null}"#),
        StageCase(
            name: "large and small numbers are written without exponents", yaml: "- json: {expressions: {a: , b: }}\n- labels: {a: , b: }",
            line: #"{"a":1e21,"b":1.5e-7}"#, expectedLabels: Labels(["job": "test", "a": "1000000000000000000000", "b": "0.00000015"])),
        // regex
        StageCase(
            name: "regex extracts named groups",
            yaml: #"""
                - regex: {expression: '^(?P<ip>\S+) (?P<user>\S+)?'}
                - labels: {ip: , user: }
                """#,
            line: "11.11.11.11 frank", expectedLabels: Labels(["job": "test", "ip": "11.11.11.11", "user": "frank"])),
        StageCase(
            name: "regex reads a label, since labels count among what was found",
            yaml: "- regex: {expression: '.*/(?P<app>[a-z]+)\\.log', source: filename}\n- labels: {app: }", line: "x",
            labels: Labels(["filename": "/var/log/shop.log"]), expectedLabels: Labels(["filename": "/var/log/shop.log", "app": "shop"])),
        // logfmt
        StageCase(
            name: "logfmt extracts mapped keys, quoted values too",
            yaml: "- logfmt: {mapping: {ts: time, level: , message: msg}}\n- labels: {level: , message: , ts: }",
            line: #"time=2012-11-01T22:08:41+00:00 level=WARN duration=125 msg="a \"b\"\nc" flag"#,
            expectedLabels: Labels(["job": "test", "level": "WARN", "message": "a \"b\"\nc", "ts": "2012-11-01T22:08:41+00:00"])),
        StageCase(
            name: "logfmt keeps what it had found before a mistake",
            yaml: "- logfmt: {mapping: {a: , b: }}\n- labels: {a: , b: }", line: #"a=1 "oops" b=2"#, expectedLabels: Labels(["job": "test", "a": "1"])),
        // docker
        StageCase(
            name: "docker takes the record apart", yaml: "- docker: {}",
            line: #"{"log":"log message\n","stream":"stderr","time":"2019-04-30T02:12:41.8443515Z"}"#, expectedLine: "log message",
            expectedLabels: Labels(["job": "test", "stream": "stderr"]), expectedTimestamp: 1_556_590_361_844_351_500),
        StageCase(name: "docker leaves what is no record", yaml: "- docker:", line: "i'm not json!"),
        // cri
        StageCase(
            name: "cri takes the record apart", yaml: "- cri: {}", line: "2019-01-01T01:00:00.000000001Z stderr F my cool logline",
            expectedLine: "my cool logline", expectedLabels: Labels(["job": "test", "stream": "stderr"]), expectedTimestamp: 1_546_304_400_000_000_001),
        StageCase(name: "cri leaves what is no record", yaml: "- cri: {}", line: "i'm invalid!!!"),
        StageCase(
            name: "cri takes an empty line", yaml: "- cri: {}", line: "2019-01-01T01:00:00Z stdout F ", expectedLine: "",
            expectedLabels: Labels(["job": "test", "stream": "stdout"]), expectedTimestamp: 1_546_304_400_000_000_000),
        // eventlogmessage
        StageCase(
            name: "eventlogmessage extracts its lines",
            yaml: "- json: {expressions: {message: }}\n- eventlogmessage: {}\n- labels: {Key1: , Key_2: }",
            line: #"{"message":"Key1: Value 1\r\nKey 2: Value 2\r\nnothing"}"#,
            expectedLabels: Labels(["job": "test", "Key1": "Value 1", "Key_2": "Value 2"])),
    ]

    @Test("a stage does with a line what Promtail does", arguments: cases)
    func stage(_ stage: StageCase) throws { try stage.check() }

    @Test("pieces of a container's line come out as one at its end, by stream, and all of them when the target ends")
    func criPartials() throws {
        let lines = [
            "2019-05-07T18:57:50.904275087+00:00 stdout F full", "2019-05-07T18:57:55.904275087+00:00 stdout P partial 1 ",
            "2019-05-07T18:57:56.904275087+00:00 stderr P other ", "2019-05-07T18:57:57.904275087+00:00 stdout F rest",
        ]
        let records = try StageHarness.run("- cri:", lines)
        #expect(records.map(\.line) == ["full", "partial 1 rest", "other "])
        #expect(records.map { $0.labels["stream"] } == ["stdout", "stdout", "stderr"])
        #expect(records[1].timestamp == 1_557_255_477_904_275_087)
    }

    @Test("a container's line is cut where it is told to be")
    func criCut() throws {
        let yaml = "- cri: {max_partial_line_size: 11, max_partial_line_size_truncate: true}"
        let lines = ["2019-05-07T18:57:50Z stdout P partial line 1", "2019-05-07T18:57:51Z stdout F and more"]
        #expect(try StageHarness.run(yaml, lines).map(\.line) == ["partial lin"])
        let tooMany = try StageHarness.run(
            "- cri: {max_partial_lines: 1}",
            ["2019-05-07T18:57:50Z stdout P a", "2019-05-07T18:57:51Z stderr P b", "2019-05-07T18:57:52Z stderr F c"])
        #expect(tooMany.map(\.line) == ["a", "bc"])
    }

    @Test("no bytes make a parsing stage fail: it leaves the line")
    func garbage() throws {
        let yaml = """
            - docker:
            - cri:
            - json: {expressions: {a: , b: "x[?y > `1`].z | [0]"}}
            - logfmt: {mapping: {a: }}
            - regex: {expression: '(?P<b>.)$'}
            - eventlogmessage: {source: a}
            """
        var random = SystemRandomNumberGenerator()
        var pipeline = try StageHarness.pipeline(yaml)
        for _ in 0..<300 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                Bool.random(using: &random) ? "{}[]\":,=\\ aP\n".utf8.randomElement(using: &random) ?? 0 : UInt8.random(in: 0...255, using: &random)
            }
            var output: [LogRecord] = []
            pipeline.process(LogRecord(labels: .empty, timestamp: 1, line: String(decoding: bytes, as: UTF8.self)), into: &output)
            #expect(output.count <= 1)
        }
    }
}
