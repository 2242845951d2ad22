import LogQL
import Query
import Telemetry
import TestSupport
import Testing

/// Lines and templates come from outside: whatever they hold, a query ends with an answer or an error.
@Suite struct StageFuzzTests {
    private static let pieces = [
        "{", "}", "[", "]", "\"", "\\", "\\u", "\\ud83d", ":", ",", "a", "b.c", "=", " ", "\t", "1", "-", "1e999", "true", "null", "nul",
        "\u{1b}[", "m", "é", "\u{0}",
        "10.0.0.1", "::1", ":::", "1.2.3.4.5", "<_>", "9223372036854775808", "1h", "5KB",
    ]

    private static let stages = [
        "| json", #"| json x="a[0].b", y="c[\"d\"]""#, "| logfmt", "| logfmt --strict --keep-empty", #"| logfmt x="a""#,
        #"| pattern "<x> <y>=<z>""#,
        #"| regexp "(?P<x>.)(?P<y>.*)""#, "| unpack", "| decolorize", #"|= ip("10.0.0.0/8")"#, #"|> "<_>a<_>""#,
        "| json | a > 5 or b < 1h and c >= 5KB", #"| logfmt | a=ip("::1")"#,
        #"| json | line_format "{{ .a | trunc -3 }}{{ fromJson __line__ }}{{ div 1 (int .b) }}{{ substr 2 1 .a }}""#,
        #"| logfmt | line_format "{{ alignLeft 3 .a }}{{ regexReplaceAll \"(.)\" .a \"${1}$2$\" }}{{ unixToTime .a }}{{ toDate \"2006-01-02\" .a }}{{ repeat 3 .a }}""#,
    ]

    @Test("no line makes a stage trap", arguments: UInt64(0)..<24)
    func lines(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let bench = LogQLBench(detectsLevel: true)
        let lines = (0..<60).map { second in
            (
                second: Int64(second),
                line: (0..<Int.random(in: 0..<14, using: &random)).map { _ in Self.pieces.randomElement(using: &random) ?? "" }.joined()
            )
        }
        try await bench.add(["app": "a"], lines)
        for stage in Self.stages {
            _ = try await bench.streams("{app=\"a\"} " + stage)
            _ = try? await bench.values("sum by (a) (count_over_time({app=\"a\"} \(stage) [1m]))", at: 60)
            _ = try? await bench.values("quantile_over_time(0.5, {app=\"a\"} \(stage) | unwrap duration(a) | __error__=\"\" [1m])", at: 60)
        }
    }

    @Test("no template makes it trap", arguments: UInt64(0)..<24)
    func templates(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let bench = LogQLBench()
        try await bench.add(["app": "a"], [(1, "a=1 b=two")])
        let words = [
            "{{", "}}", "{{-", "-}}", ".a", ".b", "$x", ":=", "|", "(", ")", "if", "else", "end", "range", "with", "\"t\"", "5",
            "-9223372036854775808", "eq", "index",
            "printf", "\"%5.2f%%%q%!\"", "add", "div", "mod", "trunc", "substr", "date", "toDate", "now", "/*", "*/", "not", "and", "text",
            "'x'", "`", "nil", ".", "len",
        ]
        for _ in 0..<150 {
            let template = (0..<Int.random(in: 1..<12, using: &random)).map { _ in words.randomElement(using: &random) ?? "" }.joined(
                separator: " ")
            _ = try? await bench.lines("{app=\"a\"} | logfmt | line_format \(template.quoted)")
        }
    }

    @Test(
        "times are written and read in Go's layouts",
        arguments: [
            (#"{{ unixToTime "1767225600" | date "Mon, 02 Jan 2006 15:04:05 MST" }}"#, "Thu, 01 Jan 2026 00:00:00 UTC"),
            (#"{{ toDate "2006-01-02T15:04:05.000Z07:00" "2024-02-29T12:34:56.789+02:00" | unixEpochMillis }}"#, "1709202896789"),
            (#"{{ toDateInZone "2006-01-02 15:04" "Europe/Berlin" "2024-07-01 12:00" | date "15:04" }}"#, "10:00"),
            (#"{{ unixToTime "1709202896789" | date "3:04PM Jan _2 06 .000" }}"#, "10:34AM Feb 29 24 .789"),
            (#"{{ duration "1m30s" }} {{ bytes "2KB" }}"#, "90 2000"),
            (#"{{ printf "%05d|%-4s|%x|%.2f|%v" 42 "ab" 255 1.005 true }}"#, "00042|ab  |ff|1.00|true"),
            (#"{{ b64enc "hi" }} {{ b64dec "aGk=" }} {{ urlencode "a b&c" }} {{ urldecode "a+b%26c" }}"#, "aGk= hi a+b%26c a b&c"),
            (#"{{ $n := 2 }}{{ with $m := mul $n 3 }}{{ $m }}{{ end }}{{ if and (gt $n 1) (lt $n 3) }}!{{ end }}"#, "6!"),
            (#"a {{- " b " -}} c"#, "a b c"), (#"{{ default "d" .nope }}{{ .nope }}"#, "d"),
        ])
    func templateValues(template: String, expected: String) async throws {
        let bench = LogQLBench()
        try await bench.add(["app": "a"], [(1, "x")])
        #expect(try await bench.lines("{app=\"a\"} | line_format \(template.quoted)") == [expected])
    }
}
