import LogQL
import Query
import Telemetry
import TestSupport
import Testing

/// What a Loki of our own answered to the same questions.
@Suite("LogQL's answers are Loki's")
struct LokiAnswersTests {
    @Test("unwrap converts sizes and durations", arguments: [
        ("bytes(size)", "2500"), ("duration(took)", "1.5"), ("duration_seconds(took)", "1.5"), ("n", "7"),
    ])
    func conversions(unwrap: String, value: String) async throws {
        let bench = LogQLBench()
        try await bench.add(["a": "b"], [(5, #"{"size":"2.5KB","took":"1500ms","n":7}"#)])
        let found = try await bench.values("sum(max_over_time({a=\"b\"} | json | unwrap \(unwrap) [10s]))", at: 10)
        #expect(found == ["{} \(value)"])
    }

    @Test("an ip filter looks at a label that a parser found before it failed, and lets other broken lines pass")
    func addressOnBrokenLines() async throws {
        let bench = LogQLBench()
        try await bench.add(["a": "b"], [(1, #"{"ip":"10.1.0.1","x":"#), (2, #"{"ip":"10.2.0.1","x":"#), (3, #"{"x":"#)])
        #expect(try await bench.lines(#"{a="b"} | json | ip = ip("10.1.0.0/16")"#) == [#"{"ip":"10.1.0.1","x":"#, #"{"x":"#])
        #expect(try await bench.lines(#"{a="b"} | json | ip != ip("10.1.0.0/16")"#) == [#"{"ip":"10.2.0.1","x":"#, #"{"x":"#])
    }

    @Test(
        "a field that is broken where it is asked for is an error; one that is broken elsewhere is not there",
        arguments: [
            (#"{"x":"#, "JSONParserErr", "Malformed JSON error"), (#"{"x":"open"#, "JSONParserErr", "Value is string, but can't find closing '\"' symbol"),
            (#"{"x":[1,"#, "JSONParserErr", "Value is array, but can't find closing ']' symbol"),
            (#"{"x":{"y":"#, "JSONParserErr", "Value looks like object, but can't find closing '}' symbol"), (#"{"x":tru"#, "JSONParserErr", "Unknown value type"),
            (#"{"y":"#, nil, nil), (#"{"x":1,"y":"#, nil, nil),
        ] as [(String, String?, String?)])
    func brokenExpression(line: String, error: String?, details: String?) async throws {
        let bench = LogQLBench()
        try await bench.add(["a": "b"], [(1, line)])
        let labels = try #require(try await bench.streams(#"{a="b"} | json x="x""#).first?.labels)
        #expect(labels["__error__"] == error && labels["__error_details__"] == details)
    }

    @Test("unpack says of broken lines what Loki's parser says", arguments: [
        (#"{"_entry":"x","#, "Value is array, but can't find closing ']' symbol"), (#"{"_entry":"x"#, "Value is string, but can't find closing '\"' symbol"),
        (#"{"_ent"#, "Malformed JSON error"), (#"{"a" 1}"#, "Malformed JSON error"), (#"{"a":1 "b":2}"#, "Value looks like object, but can't find closing '}' symbol"),
    ])
    func brokenUnpack(line: String, details: String) async throws {
        let bench = LogQLBench()
        try await bench.add(["a": "b"], [(1, line)])
        let stream = try #require(try await bench.streams(#"{a="b"} | unpack"#).first)
        #expect(stream.labels["__error__"] == "JSONParserErr" && stream.labels["__error_details__"] == details)
        #expect(stream.entries.map(\.line) == [line])
    }

    @Test("queries are written as Loki writes them", arguments: [
        (#"{a="b"} != "x" or "y""#, #"{a="b"} != "x" != "y""#), (#"{a="b"} !~ "x" or "y""#, #"{a="b"} !~ "x" !~ "y""#), (#"{a="b"} |= "x" or "y""#, #"{a="b"} |= "x" or "y""#),
        (#"{a="b"} | s>=1KB"#, #"{a="b"} | s>=1.0kB"#), (#"{a="b"} | s>1500B"#, #"{a="b"} | s>1.5kB"#), (#"{a="b"} | s>1536B"#, #"{a="b"} | s>1536B"#), (#"{a="b"} | s>20MB"#, #"{a="b"} | s>20MB"#),
        ("1 + 2 * 3", "7"), ("-2 ^ 2", "4"), ("2 > bool 1", "1"), ("vector(1) + (1 + 1)", "(vector(1.000000) + 2)"),
    ])
    func text(query: String, written: String) throws {
        #expect(try LogQLParser.parse(query).description == written)
    }

    @Test("what a stage cannot do is said with the stage, and with the words of Go's parsers", arguments: [
        (#"{a="b"} |~ "(""#, "parse error : stage '|~ \"(\"' : error parsing regexp: missing closing ): `(`"),
        (#"{a="b"} |~ "[a""#, "parse error : stage '|~ \"[a\"' : error parsing regexp: missing closing ]: `[a`"),
        (#"{a="b"} |~ "*""#, "parse error : stage '|~ \"*\"' : error parsing regexp: missing argument to repetition operator: `*`"),
    ])
    func stageErrors(query: String, message: String) async throws {
        let bench = LogQLBench()
        let error = await #expect(throws: QueryError.self) { try await bench.streams(query) }
        #expect(error?.message == message)
    }

    @Test("words of the language are no labels: what follows a parser is a line filter")
    func reservedWords() async throws {
        let bench = LogQLBench()
        try await bench.add(["a": "b"], [(1, #"{"x":1}"#), (2, #"{"y":1}"#)])
        #expect(try await bench.lines(#"{a="b"} | json != "x""#) == [#"{"y":1}"#])
        #expect(try await bench.lines(#"{a="b"} | decolorize != "x" or "z""#) == [#"{"y":1}"#])
        for query in [#"{a="b"} | json = "x""#, #"{a="b"} | by = "x""#, #"{a="b"} | keep =~ "x""#, "vector(-1)"] {
            #expect(throws: QueryError.self) { try LogQLParser.parse(query) }
        }
    }

    @Test("templates print numbers as Go does", arguments: [
        ("{{ bytes .s }}", "1.5e+06"), ("{{ duration .d }}", "1.7930000000000001"), ("{{ float64 .n }}", "123456"), ("{{ float64 .m }}", "1.23456789e+08"), ("{{ float64 .t }}", "1.5e-05"),
        ("{{ float64 .u }}", "0.00015"), ("{{ divf (float64 .n) 1000.0 }}", "123.456"), ("{{ mulf (float64 .m) -1.0 }}", "-1.23456789e+08"),
    ])
    func numbers(template: String, text: String) async throws {
        let bench = LogQLBench()
        try await bench.add(["a": "b"], [(1, #"{"s":"1.5MB","d":"1793ms","n":"123456","m":"123456789","t":"0.000015","u":"0.00015"}"#)])
        #expect(try await bench.lines("{a=\"b\"} | json | line_format `\(template)`") == [text])
    }

    @Test("long queries have line filters in a row on one line")
    func layout() throws {
        let query = #"{app="a very long name of an app", env="prod"} |= "one" != "two" or "three" | logfmt | level="error" | decolorize"#
        let lines = [
            #"{app="a very long name of an app", env="prod"}"#, #"  |= "one" != "two" != "three""#, "  | logfmt", #"  | level="error""#, "| decolorize",
        ]
        #expect(LogQLPrinter.pretty(try LogQLParser.parse(query)) == lines.joined(separator: "\n"))
    }

    @Test("a key of logfmt that no label can have is refused")
    func logfmtKeys() async throws {
        let bench = LogQLBench()
        let error = await #expect(throws: QueryError.self) { try await bench.streams(#"{a="b"} | logfmt h="host.name""#) }
        #expect(error?.message == #"parse error : stage '| logfmt h="host.name"' : cannot parse expression [host.name]: unexpected char ."#)
    }
}
