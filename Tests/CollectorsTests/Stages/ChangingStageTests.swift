import Telemetry
import Testing

@testable import Collectors

@Suite("Stages that change lines, labels and times")
struct ChangingStageTests {
    private static let jsonTime = "- json: {expressions: {t: }}\n"

    static let cases: [StageCase] = [
        StageCase(name: "output", yaml: "- json: {expressions: {msg: }}\n- output: {source: msg}", line: #"{"msg":"hi"}"#, expectedLine: "hi"),
        StageCase(name: "output without its source", yaml: "- output: {source: nothing}", line: "as it was"),
        StageCase(
            name: "static_labels", yaml: "- static_labels: {env: prod, none: }", line: "x", expectedLabels: Labels(["job": "test", "env": "prod"])),
        StageCase(
            name: "labeldrop", yaml: "- labeldrop: [a, b]", line: "x", labels: Labels(["a": "1", "b": "2", "c": "3"]), expectedLabels: Labels(["c": "3"])),
        StageCase(
            name: "labelallow", yaml: "- labelallow: [a]", line: "x", labels: Labels(["a": "1", "b": "2"]), expectedLabels: Labels(["a": "1"])),
        StageCase(
            name: "structured_metadata takes what was found and what is a label, which goes",
            yaml: "- json: {expressions: {trace: }}\n- structured_metadata: {trace_id: trace, pod: }", line: #"{"trace":"abc"}"#,
            labels: Labels(["job": "test", "pod": "p1"]), expectedLabels: Labels(["job": "test"]), expectedMetadata: Labels(["trace_id": "abc", "pod": "p1"])),
        StageCase(
            name: "tenant from what was found", yaml: "- json: {expressions: {customer: }}\n- tenant: {source: customer}", line: #"{"customer":"c1"}"#,
            expectedTenant: "c1"),
        StageCase(name: "tenant from a value", yaml: "- tenant: {value: t}", line: "x", expectedTenant: "t"),
        StageCase(
            name: "tenant from a label", yaml: "- tenant: {label: ns}", line: "x", labels: Labels(["ns": "n"]), expectedTenant: "n"),
        StageCase(
            name: "labels that begin with __ are gone at the end", yaml: "- labels: {copy: __meta}", line: "x", labels: Labels(["__meta": "m", "a": "b"]),
            expectedLabels: Labels(["a": "b", "copy": "m"])),
        // replace
        StageCase(
            name: "replace", yaml: #"- replace: {expression: 'password (\S+)', replace: '****'}"#, line: "my password hunter2 and password abc",
            expectedLine: "my password **** and password ****"),
        StageCase(
            name: "replace with a template, and its named groups are found",
            yaml: """
                - replace: {expression: '(?P<method>GET|POST) (?P<path>\\S+)', replace: '{{ if eq .Value "GET" }}got{{ else }}{{ .Value | ToUpper }}{{ end }}'}
                - labels: {method: , path: }
                """,
            line: "x GET /a/b y", expectedLine: "x got /A/B y", expectedLabels: Labels(["job": "test", "method": "got", "path": "/A/B"])),
        StageCase(
            name: "replace by nothing, in what was found",
            yaml: "- json: {expressions: {m: }}\n- replace: {expression: '(b+)', source: m, replace: ''}\n- output: {source: m}",
            line: #"{"m":"abbc"}"#, expectedLine: "ac"),
        // template
        StageCase(
            name: "template", yaml: "- json: {expressions: {app: }}\n- template: {source: app, template: '{{ .Value }} doki {{ .job }}'}\n- labels: {app: }",
            line: #"{"app":"loki"}"#, expectedLabels: Labels(["job": "test", "app": "loki doki test"])),
        StageCase(
            name: "template makes what was not there, and takes away what it makes empty",
            yaml: "- template: {source: new, template: '{{ .Entry | trunc 3 }}'}\n- template: {source: job, template: ''}\n- labels: {new: , again: job}",
            line: "abcdef", expectedLabels: Labels(["job": "test", "new": "abc"])),
        StageCase(
            name: "template with Sprig's functions and hashes",
            yaml: """
                - template: {source: h, template: '{{ Sha2Hash "salt" .Entry | trunc 8 }}-{{ splitList "," "a,b" | last }}-{{ default "d" .nothing }}-{{ add 1 2 }}'}
                - template: {source: s, template: '{{ Hash "salt" .Entry | trunc 8 }} {{ regexReplaceAll "a(.)" .Entry "${1}!" }}'}
                - labels: {h: , s: }
                """,
            line: "ab", expectedLabels: Labels(["job": "test", "h": "ca45866b-b-d-3", "s": "82ba51c8 b!"])),
        StageCase(
            name: "a template that fails changes nothing", yaml: "- template: {source: x, template: '{{ .nothing | ToUpper }}'}\n- labels: {x: }", line: "a"),
        // pack, decolorize
        StageCase(
            name: "pack", yaml: "- pack: {labels: [b, a, none], ingest_timestamp: false}", line: "a \"<line>\"", labels: Labels(["a": "1", "b": "2", "c": "3"]),
            expectedLine: #"{"a":"1","b":"2","_entry":"a \"\u003cline\u003e\""}"#, expectedLabels: Labels(["c": "3"])),
        StageCase(name: "pack takes the time of reading", yaml: "- pack: {}", line: "x", timestamp: 5, expectedLine: #"{"_entry":"x"}"#, expectedTimestamp: StageHarness.now),
        StageCase(
            name: "decolorize", yaml: "- decolorize:", line: "\u{1b}[31;1mred\u{1b}[0m \u{1b}[2Kplain\u{9b}32mgreen", expectedLine: "red plaingreen"),
        // timestamp
        StageCase(
            name: "timestamp RFC3339Nano", yaml: jsonTime + "- timestamp: {source: t, format: RFC3339Nano}", line: #"{"t":"2012-11-01T22:08:41.12-04:00"}"#,
            expectedTimestamp: 1_351_822_121_120_000_000),
        StageCase(
            name: "timestamp Unix with a fraction", yaml: jsonTime + "- timestamp: {source: t, format: Unix}", line: #"{"t":1562708916.919}"#,
            expectedTimestamp: 1_562_708_916_919_000_000),
        StageCase(
            name: "timestamp UnixMs", yaml: jsonTime + "- timestamp: {source: t, format: UnixMs}", line: #"{"t":1562708916919}"#,
            expectedTimestamp: 1_562_708_916_919_000_000),
        StageCase(
            name: "timestamp UnixUs", yaml: jsonTime + "- timestamp: {source: t, format: UnixUs}", line: #"{"t":"1562708916414123"}"#,
            expectedTimestamp: 1_562_708_916_414_123_000),
        StageCase(
            name: "timestamp UnixNs", yaml: jsonTime + "- timestamp: {source: t, format: UnixNs}", line: #"{"t":"1562708916000000123"}"#,
            expectedTimestamp: 1_562_708_916_000_000_123),
        StageCase(
            name: "timestamp in a location", yaml: jsonTime + "- timestamp: {source: t, format: '2006-01-02 15:04:05', location: America/New_York}",
            line: #"{"t":"2019-07-22 20:29:32"}"#, expectedTimestamp: 1_563_841_772_000_000_000),
        StageCase(
            name: "timestamp by a fallback", yaml: jsonTime + "- timestamp: {source: t, format: UnixDate, fallback_formats: [RFC822, '2006-01-02']}",
            line: #"{"t":"2019-07-22"}"#, expectedTimestamp: 1_563_753_600_000_000_000),
        StageCase(
            name: "timestamp without a year is of this one", yaml: jsonTime + "- timestamp: {source: t, format: 'Jan 02 15:04:05'}",
            line: #"{"t":"Jan 02 03:00:00"}"#, expectedTimestamp: 1_767_322_800_000_000_000),
        StageCase(
            name: "timestamp of December read in January is of last year", yaml: jsonTime + "- timestamp: {source: t, format: 'Jan 02 15:04:05'}",
            line: #"{"t":"Dec 31 23:59:59"}"#, expectedTimestamp: 1_767_225_599_000_000_000),
        StageCase(
            name: "timestamp that is none keeps the time", yaml: jsonTime + "- timestamp: {source: t, format: RFC3339, action_on_failure: skip}",
            line: #"{"t":"yesterday"}"#),
    ]

    @Test("a stage does with a line what Promtail does", arguments: cases)
    func stage(_ stage: StageCase) throws { try stage.check() }

    @Test("a line without a time follows the last one of its stream by a nanosecond, unless it is told to be left")
    func fudge() throws {
        let lines = ["{\"t\":\"2019-07-22T20:29:32Z\"}", "nothing", "nothing"]
        let fudged = try StageHarness.run(Self.jsonTime + "- timestamp: {source: t, format: RFC3339}", lines)
        #expect(fudged.map(\.timestamp) == [1_563_827_372_000_000_000, 1_563_827_372_000_000_001, 1_563_827_372_000_000_002])
        let skipped = try StageHarness.run(Self.jsonTime + "- timestamp: {source: t, format: RFC3339, action_on_failure: skip}", lines)
        #expect(skipped.map(\.timestamp) == [1_563_827_372_000_000_000, StageHarness.now + 1, StageHarness.now + 2])
    }
}
