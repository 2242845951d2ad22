import LogQL
import Query
package import Telemetry
import TestSupport
import Testing

/// A store with a few streams, and short ways to ask it.
struct LogQLBench {
    let store = MemoryStore()
    let engine: LogQLEngine

    init(detectsLevel: Bool = false) {
        var options = LogQLEngine.Options()
        options.detectsLevel = detectsLevel
        engine = LogQLEngine(store: store, options: options)
    }

    /// Lines at whole seconds.
    func add(_ labels: Labels, _ lines: [(second: Int64, line: String)], metadata: Labels = .empty) async throws {
        var batch = LogBatch()
        batch.streams.append(
            LogBatch.Stream(
                labels: labels,
                entries: lines.map { LogEntry(timestamp: $0.second * 1_000_000_000, line: $0.line, metadata: metadata) }))
        var telemetry = TelemetryBatch()
        telemetry.logs = batch
        try await store.append(telemetry)
    }

    func streams(
        _ query: String, from: Int64 = 0, to: Int64 = 1_000, limit: Int = 100, direction: LogQLDirection = .forward
    ) async throws -> [LogQLStream] {
        let result = try await engine.range(
            query, from: from * 1_000_000_000, to: to * 1_000_000_000, step: 1_000_000_000, limit: limit, direction: direction,
            context: QueryContext())
        guard case .streams(let streams) = result.value else { return [] }
        return streams
    }

    func lines(_ query: String) async throws -> [String] {
        try await streams(query).flatMap(\.entries).sorted { $0.timestamp < $1.timestamp }.map(\.line)
    }

    /// Label sets and values at an instant, as `{a="b"} 5`.
    func values(_ query: String, at second: Int64) async throws -> [String] {
        let result = try await engine.instant(query, at: second * 1_000_000_000, context: QueryContext())
        switch result.value {
        case .vector(let samples): return samples.map { "\($0.labels) \(PrettyNumber.text($0.value))" }
        case .scalar(_, let value): return [PrettyNumber.text(value)]
        default: return []
        }
    }
}

enum PrettyNumber {
    static func text(_ value: Double) -> String {
        value == value.rounded() ? String(Int(value)) : String((value * 1e6).rounded() / 1e6)
    }
}

@Suite struct LogQLLinesTests {
    static let lines: [(second: Int64, line: String)] = [
        (1, #"{"level":"info","status":200,"ms":12.5,"user":{"id":7,"name":"Zoë"},"tags":["a"],"msg":"hello\nthere"}"#),
        (2, #"{"level":"error","status":500,"ms":250,"took":"1m30s","size":"2KiB","addr":"10.1.2.3"}"#),
        (3, "level=warn status=404 msg=\"not \\\"found\\\"\" empty= flag took=250ms"),
        (4, "GET /orders/42 200 0.013"),
    ]

    @Test(
        "lets through the lines that a pipeline wants",
        arguments: [
            (#"{app="a"} |= "orders""#, [4]), (#"{app="a"} != "level""#, [4]), (#"{app="a"} |~ "status.?.=?404""#, [3]),
            (#"{app="a"} !~ "info|error""#, [3, 4]), (#"{app="a"} |= "orders" or "404""#, [3, 4]),
            (#"{app="a"} != "orders" or "404""#, [1, 2]),
            (#"{app="a"} |~ "(?i)ERROR""#, [2]), (#"{app="a"} |~ "(?i)get""#, [4]), (#"{app="a"} |> "GET <_> 200 <_>""#, [4]),
            (#"{app="a"} !> "<_>level<_>""#, [3, 4]), (#"{app="a"} |= ip("10.0.0.0/8")"#, [2]),
            (#"{app="a"} != ip("10.1.2.3")"#, [1, 3, 4]),
            (#"{app="a"} | json | __error__="""#, [1, 2]), (#"{app="a"} | json | status >= 500"#, [2]),
            (#"{app="a"} | json | __error__="" | status >= 500"#, [2]), (#"{app="a"} | json | level="error""#, [2]),
            (#"{app="a"} | json | user_id=7"#, [1]), (#"{app="a"} | json | user_name="Zoë""#, [1]),
            (#"{app="a"} | json | tags!="" "#, []),
            (#"{app="a"} | json | took > 1m | __error__="""#, [2]), (#"{app="a"} | json | size > 1KB | __error__="""#, [2]),
            (#"{app="a"} | json | addr=ip("10.1.0.0-10.2.0.0") | __error__="""#, [2]), (#"{app="a"} | logfmt | took <= 250ms"#, [3]),
            (#"{app="a"} | logfmt | msg="not \"found\"""#, [3]),
            (#"{app="a"} | json name="user.name", tag="tags[0]" | name="Zoë" and tag="a""#, [1]),
            (#"{app="a"} | logfmt code="status" | code=404"#, [3]),
            (#"{app="a"} | regexp "(?P<method>\\w+) (?P<path>/\\S+)" | method="GET" and path=~"/orders/.*""#, [4]),
            (#"{app="a"} | pattern "<method> <path> <status> <_>" | method="GET" | status="200""#, [4]),
            (#"{app="a"} | json | level="info" or status=500 | __error__="""#, [1, 2]), (#"{app="b"}"#, []),
        ] as [(String, [Int64])])
    func filters(query: String, seconds: [Int64]) async throws {
        let bench = LogQLBench()
        try await bench.add(["app": "a"], Self.lines)
        let found = try await bench.streams(query).flatMap(\.entries).map { $0.timestamp / 1_000_000_000 }.sorted()
        #expect(found == seconds)
    }

    @Test(
        "writes lines and labels anew",
        arguments: [
            (#"{app="a"} | json | __error__="" | line_format "{{.status}} {{.level | ToUpper}}""#, ["200 INFO", "500 ERROR"]),
            (#"{app="a"} |= "GET" | line_format "{{ __line__ | replace \"GET\" \"get\" }}""#, ["get /orders/42 200 0.013"]),
            (
                #"{app="a"} | json | __error__="" | line_format "{{ if eq .level \"info\" }}ok{{ else }}{{ printf \"%s-%5.1f\" .level (float64 .ms) }}{{ end }}""#,
                ["ok", "error-250.0"]
            ),
            (
                #"{app="a"} | json | __error__="" | label_format where=app, up="{{.level}}!" | line_format "{{.where}}{{.app}}{{.up}}""#,
                ["ainfo!", "aerror!"]
            ),
            (
                #"{app="a"} | json | level="info" | line_format "{{ __timestamp__ | date \"2006-01-02T15:04:05Z07:00\" }} {{ add 1 2 }} {{ .msg | trunc 5 }}""#,
                ["1970-01-01T00:00:01Z 3 hello"]
            ),
            (
                #"{app="a"} | json | level="info" | line_format "{{ range $i, $e := fromJson \"[1,2]\" }}{{$i}}={{$e}};{{ end }}""#,
                ["0=1;1=2;"]
            ),
        ])
    func formats(query: String, lines: [String]) async throws {
        let bench = LogQLBench()
        try await bench.add(["app": "a"], Self.lines)
        #expect(try await bench.lines(query) == lines)
    }

    @Test("names what a parser finds so that no label of the stream is replaced")
    func conflicts() async throws {
        let bench = LogQLBench()
        try await bench.add(["app": "a", "level": "stream"], [(1, #"{"level":"line","pod":"p","9 lives":1}"#)], metadata: ["pod": "meta"])
        let stream = try #require(try await bench.streams(#"{app="a"} | json"#).first)
        #expect(
            stream.labels
                == ["app": "a", "level": "stream", "level_extracted": "line", "pod": "meta", "pod_extracted": "p", "_9_lives": "1"]
                as Labels)
        #expect(stream.entries.first?.structuredMetadata == ["pod": "meta"] as Labels)
    }

    @Test("drops and keeps labels")
    func dropKeep() async throws {
        let bench = LogQLBench()
        try await bench.add(["app": "a", "zone": "z"], [(1, "a=1 b=2")])
        #expect(try await bench.streams(#"{app="a"} | logfmt | drop zone, a"#).map(\.labels) == [["app": "a", "b": "2"] as Labels])
        #expect(try await bench.streams(#"{app="a"} | logfmt | drop b="3""#).first?.labels["b"] == "2")
        #expect(try await bench.streams(#"{app="a"} | logfmt | keep app, b"#).map(\.labels) == [["app": "a", "b": "2"] as Labels])
    }

    @Test("stops at the limit, newest or oldest first")
    func limit() async throws {
        let bench = LogQLBench()
        try await bench.add(["app": "a", "n": "1"], (0..<50).map { ($0 * 2, "even \($0)") })
        try await bench.add(["app": "a", "n": "2"], (0..<50).map { ($0 * 2 + 1, "odd \($0)") })
        for (direction, expected) in [(LogQLDirection.backward, [99, 98, 97]), (.forward, [0, 1, 2])] {
            let streams = try await bench.streams(#"{app="a"}"#, limit: 3, direction: direction)
            let times = streams.flatMap(\.entries).map { $0.timestamp / 1_000_000_000 }
            #expect(Set(times) == Set(expected.map(Int64.init)))
            #expect(
                streams.allSatisfy { stream in
                    stream.entries.map(\.timestamp) == stream.entries.map(\.timestamp).sorted { direction == .backward ? $0 > $1 : $0 < $1 }
                })
        }
        #expect(try await bench.streams(#"{app="a"}"#, from: 0, to: 10).flatMap(\.entries).count == 10, "the end is left out")
    }

    @Test(
        "finds out how severe a line is",
        arguments: [
            (#"{"level":"warning"}"#, "warn"), ("lvl=DBG x", "debug"), ("2026 ERROR: boom", "error"), ("nothing here", "unknown"),
            (#"{"a":"info","severity":"fatal"}"#, "fatal"),
            ("", "unknown"), ("[INFO] hello", "info"), ("info: it failed with an error.", "info"), (#"{"error":"x"}"#, "error"),
            ("informal", "unknown"),
        ])
    func levels(line: String, level: String) async throws {
        let bench = LogQLBench(detectsLevel: true)
        try await bench.add(["app": "a"], [(1, line)])
        #expect(try await bench.streams(#"{app="a"}"#).first?.labels["detected_level"] == level)
        #expect(
            try await bench.values(#"sum by (detected_level) (count_over_time({app="a"}[10s]))"#, at: 5) == [
                "{detected_level=\"\(level)\"} 1"
            ])
    }

    @Test("unpacks what Promtail packed, and takes colours out")
    func unpack() async throws {
        let bench = LogQLBench()
        try await bench.add(["app": "a"], [(1, #"{"pod":"p","_entry":"the \"line\""}"#), (2, "\u{1b}[31mred\u{1b}[0m")])
        #expect(try await bench.lines(#"{app="a"} | unpack | pod="p""#) == ["the \"line\""])
        #expect(try await bench.lines(#"{app="a"} |= "red" | decolorize"#) == ["red"])
    }
}

@Suite struct LogQLMetricTests {
    private func bench() async throws -> LogQLBench {
        let bench = LogQLBench()
        try await bench.add(["app": "a", "zone": "x"], [(10, "status=200 ms=1"), (20, "status=200 ms=2"), (30, "status=500 ms=9")])
        try await bench.add(["app": "a", "zone": "y"], [(25, "status=200 ms=4"), (30, "status=404 ms=0.5")])
        return bench
    }

    @Test(
        "counts, sums and compares",
        arguments: [
            (#"count_over_time({app="a"}[20s])"#, [#"{app="a", zone="x"} 2"#, #"{app="a", zone="y"} 2"#]),
            // The window is open at its start: the line at 10 s is not within (10 s, 30 s].
            (#"sum(count_over_time({app="a"}[20s]))"#, ["{} 4"]), (#"sum(count_over_time({app="a"}[21s]))"#, ["{} 5"]),
            (#"sum by (zone) (rate({app="a"}[20s]))"#, [#"{zone="x"} 0.1"#, #"{zone="y"} 0.1"#]),
            (
                #"sum by (status) (count_over_time({app="a"} | logfmt [1m]))"#,
                [#"{status="200"} 3"#, #"{status="404"} 1"#, #"{status="500"} 1"#]
            ),
            (#"sum by (status) (count_over_time({app="a"} | logfmt | status >= 400 [1m]))"#, [#"{status="404"} 1"#, #"{status="500"} 1"#]),
            (#"sum without (zone, ms, status) (count_over_time({app="a"} | logfmt [1m]))"#, [#"{app="a"} 5"#]),
            (#"bytes_over_time({app="a", zone="x"}[10s])"#, [#"{app="a", zone="x"} 15"#]),
            (#"bytes_rate({app="a", zone="x"}[10s])"#, [#"{app="a", zone="x"} 1.5"#]),
            (
                #"sum_over_time({app="a"} | logfmt | unwrap ms [1m]) "#,
                [
                    #"{app="a", status="200", zone="x"} 3"#, #"{app="a", status="200", zone="y"} 4"#,
                    #"{app="a", status="404", zone="y"} 0.5"#,
                    #"{app="a", status="500", zone="x"} 9"#,
                ]
            ),
            (#"max_over_time({app="a"} | logfmt | unwrap ms [1m]) by (zone)"#, [#"{zone="x"} 9"#, #"{zone="y"} 4"#]),
            (#"quantile_over_time(0.5, {app="a"} | logfmt | unwrap ms [1m]) by (zone)"#, [#"{zone="x"} 2"#, #"{zone="y"} 2.25"#]),
            (#"avg_over_time({app="a"} | logfmt | unwrap ms [1m]) by (app)"#, [#"{app="a"} 3.3"#]),
            (#"first_over_time({app="a"} | logfmt | unwrap ms [1m]) by (zone)"#, [#"{zone="x"} 1"#, #"{zone="y"} 4"#]),
            (#"last_over_time({app="a"} | logfmt | unwrap ms [1m]) by (zone)"#, [#"{zone="x"} 9"#, #"{zone="y"} 0.5"#]),
            (#"stdvar_over_time({app="a"} | logfmt | unwrap ms [1m]) by (zone)"#, [#"{zone="x"} 12.666667"#, #"{zone="y"} 3.0625"#]),
            (#"absent_over_time({app="nope"}[1m])"#, [#"{app="nope"} 1"#]), (#"absent_over_time({app="a"}[1m])"#, []),
            (#"absent_over_time({app="a"} | json [1m])"#, []),
            (#"topk(1, sum by (status) (count_over_time({app="a"} | logfmt [1m])))"#, [#"{status="200"} 3"#]),
            (#"sort_desc(sum by (zone) (sum_over_time({app="a"} | logfmt | unwrap ms [1m])))"#, [#"{zone="x"} 12"#, #"{zone="y"} 4.5"#]),
            (
                #"sum by (zone) (count_over_time({app="a"} | logfmt | status="200" [1m])) / sum by (zone) (count_over_time({app="a"}[1m]))"#,
                [#"{zone="x"} 0.666667"#, #"{zone="y"} 0.5"#]
            ),
            (#"sum(count_over_time({app="a"}[1m])) > 4"#, ["{} 5"]), (#"sum(count_over_time({app="a"}[1m])) > bool 5"#, ["{} 0"]),
            (#"sum(count_over_time({app="b"}[1m])) or vector(7)"#, ["{} 7"]), ("1 + 2 * 3 ^ 2", ["19"]), ("vector(1)+vector(1)", ["{} 2"]),
            (#"count_over_time({app="a", zone="x"}[20s] offset 10s)"#, [#"{app="a", zone="x"} 2"#]),
            (#"sum by (z) (label_replace(count_over_time({app="a"}[1m]), "z", "$1-", "zone", "(.*)"))"#, [#"{z="x-"} 3"#, #"{z="y-"} 2"#]),
            (#"count(count_over_time({app="a"} | logfmt [1m])) by (app)"#, [#"{app="a"} 5"#]),
            (
                #"sum by (zone) (count_over_time({app="a"}[1m])) unless on (zone) sum by (zone) (count_over_time({zone="x"}[1m]))"#,
                [#"{zone="y"} 2"#]
            ),
        ] as [(String, [String])])
    func values(query: String, expected: [String]) async throws {
        #expect(try await bench().values(query, at: 30) == expected)
    }

    @Test("evaluates every step of a range")
    func range() async throws {
        let bench = try await bench()
        let result = try await bench.engine.range(
            #"sum(count_over_time({app="a"}[10s]))"#, from: 10_000_000_000, to: 50_000_000_000, step: 10_000_000_000,
            context: QueryContext())
        guard case .matrix(let series) = result.value else {
            Issue.record("no matrix")
            return
        }
        #expect(series.map(\.values) == [[1, 1, 3]])
        #expect(series.first?.timestamps.map { $0 / 1_000_000_000 } == [10, 20, 30])
    }

    @Test("a step finer or coarser than the window counts each line where it belongs", arguments: [1, 3, 7, 40] as [Int64])
    func steps(step: Int64) async throws {
        let bench = try await bench()
        let all: [Int64] = [10, 20, 30, 25, 30]
        let result = try await bench.engine.range(
            #"sum(count_over_time({app="a"}[12s]))"#, from: 0, to: 60_000_000_000, step: step * 1_000_000_000, context: QueryContext())
        guard case .matrix(let series) = result.value else {
            Issue.record("no matrix")
            return
        }
        var expected: [Int64: Double] = [:]
        for time in stride(from: Int64(0), through: 60, by: Int64.Stride(step)) {
            let count = all.count { $0 > time - 12 && $0 <= time }
            if count > 0 { expected[time] = Double(count) }
        }
        let found = Dictionary(uniqueKeysWithValues: zip(series[0].timestamps.map { $0 / 1_000_000_000 }, series[0].values))
        #expect(found == expected)
    }

    @Test("an error of the pipeline ends a metric query, unless it is filtered")
    func errors() async throws {
        let bench = try await bench()
        let error = await #expect(throws: QueryError.self) {
            try await bench.values(#"count_over_time({app="a"} | json [1m])"#, at: 30)
        }
        #expect(error?.message.hasPrefix("pipeline error: 'JSONParserErr' for series:") == true)
        #expect(try await bench.values(#"sum(count_over_time({app="a"} | json | __error__!="JSONParserErr" [1m]))"#, at: 30) == [])
        await #expect(throws: QueryError.self) { try await bench.values(#"sum_over_time({app="a"} | logfmt | unwrap zone [1m])"#, at: 30) }
        await #expect(throws: QueryError.self) { try await bench.values(#"{app="a"}"#, at: 30) }
    }
}

@Suite struct LogQLParserTests {
    @Test(
        "says where a query is wrong, in Loki's words",
        arguments: [
            ("{app=}", 1, 6, "parse error at line 1, col 6: syntax error: unexpected }, expecting STRING"),
            ("{app=\"a\"", 1, 9, "parse error at line 1, col 9: syntax error: unexpected $end, expecting } or ,"),
            ("{app=\"a\"}\n| json |", 2, 9, "parse error at line 2, col 9: syntax error: unexpected $end, expecting IDENTIFIER"),
            ("rate({a=\"b\"}[5)", 1, 13, "parse error at line 1, col 13: missing closing ']' in duration"),
        ])
    func places(query: String, line: Int, column: Int, message: String) {
        let error = #expect(throws: QueryError.self) { try LogQLParser.parse(query) }
        #expect(error?.message == message)
        #expect(error?.place?.line == line)
        #expect(error?.place?.column == column)
    }

    @Test("refuses what would exhaust the stack")
    func depth() {
        #expect(throws: QueryError.self) { try LogQLParser.parse(String(repeating: "(", count: 100_000) + "1") }
        #expect(throws: QueryError.self) { try LogQLParser.parse(#"{a="b"} | "# + String(repeating: "(", count: 5_000)) }
    }

    @Test("no text makes it trap", arguments: UInt64(0)..<32)
    func fuzz(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let words = [
            "{", "}", "app", "=", "=~", "\"a\"", "|", "|=", "json", "unwrap", "rate", "(", ")", "[5m]", "by", "sum", ",", "5", "1e", "0x",
            "-", "or", "`", "\\", "offset", "ip", "\u{e9}", "#", "line_format", "\"{{.a\"",
        ]
        for _ in 0..<200 {
            let query = (0..<Int.random(in: 1..<12, using: &random)).map { _ in words.randomElement(using: &random) ?? "" }.joined(
                separator: Bool.random(using: &random) ? " " : "")
            _ = try? LogQLParser.parse(query)
        }
    }

    @Test("reads a selector alone", arguments: [("{}", 0), (#"{a="b", c!~"d"}"#, 2)])
    func selectors(text: String, count: Int) throws {
        #expect(try LogQLParser.matchers(text).count == count)
    }
}

extension Labels: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral pairs: (String, String)...) {
        self.init(pairs.map { Label($0.0, $0.1) })
    }
}
