import LogQL
import Query
import Telemetry
import TestSupport
import Testing

@Suite("LogQL pages and tails") struct LogQLPageTests {
    /// Streams whose lines share their timestamps.
    private func bench() async throws -> LogQLBench {
        let bench = LogQLBench()
        for stream in 0..<3 {
            try await bench.add(["app": "a", "n": "\(stream)"], (0..<40).map { (Int64($0 / 10), "line \(stream) \($0)") })
        }
        return bench
    }

    @Test("pages put together hold every line once, also where many share a timestamp", arguments: [LogQLDirection.forward, .backward], [1, 7, 30, 120, 500])
    func pages(direction: LogQLDirection, limit: Int) async throws {
        let bench = try await bench()
        guard case .logs(let selector) = try LogQLParser.parse(#"{app="a"} |= "line""#) else { return }
        var (lines, cursor): ([LogQLEntry], LogQLCursor?) = ([], nil)
        repeat {
            let page = try await bench.engine.page(
                selector, in: TimeRange(0, 10_000_000_000), after: cursor, limit: limit, direction: direction, context: QueryContext())
            lines += page.lines.map(\.entry)
            #expect(page.lines.count <= limit)
            cursor = page.next
        } while cursor != nil
        #expect(lines.count == 120)
        #expect(Set(lines.map(\.line)).count == 120)
        let times = lines.map(\.timestamp)
        #expect(times == times.sorted { direction == .forward ? $0 < $1 : $0 > $1 })
    }

    @Test("lines that come between two pages are in the next one if they lie ahead, and no line is there twice")
    func growing() async throws {
        let bench = try await bench()
        guard case .logs(let selector) = try LogQLParser.parse(#"{app="a"}"#) else { return }
        let first = try await bench.engine.page(
            selector, in: TimeRange(0, 10_000_000_000), after: nil, limit: 50, direction: .forward, context: QueryContext())
        try await bench.add(["app": "a", "n": "9"], [(0, "late"), (3, "ahead")])
        let rest = try await bench.engine.page(
            selector, in: TimeRange(0, 10_000_000_000), after: first.next, limit: 500, direction: .forward, context: QueryContext())
        let lines = (first.lines + rest.lines).map(\.entry.line)
        #expect(lines.count { $0 == "ahead" } == 1)
        #expect(Set(lines).count == lines.count)
        #expect(lines.count { $0.hasPrefix("line") } == 120)
    }

    @Test("with an interval only lines so far apart come")
    func interval() async throws {
        let bench = try await bench()
        let result = try await bench.engine.range(
            #"{app="a"}"#, from: 0, to: 10_000_000_000, step: 1, limit: 10, direction: .forward, interval: 2_000_000_000,
            context: QueryContext())
        guard case .streams(let streams) = result.value else { return }
        #expect(streams.flatMap(\.entries).map { $0.timestamp / 1_000_000_000 }.sorted() == [0, 2])
    }

    @Test("a tail lets through what the query does, with its final labels")
    func tail() throws {
        let tail = try LogQLTail(#"{app=~"a|b"} | logfmt | level="error" | line_format "{{.msg}}""#, detectsLevel: false)
        var batch = LogBatch()
        batch.streams = [
            LogBatch.Stream(labels: ["app": "a"], entries: [LogEntry(timestamp: 1, line: "level=error msg=bad"), LogEntry(timestamp: 2, line: "level=info")]),
            LogBatch.Stream(labels: ["app": "c"], entries: [LogEntry(timestamp: 3, line: "level=error msg=other")]),
        ]
        let found = tail.take(batch)
        #expect(found.map(\.entry.line) == ["bad"])
        #expect(found.first?.labels == ["app": "a", "level": "error", "msg": "bad"] as Labels)
        #expect(throws: QueryError.self) { try LogQLTail(#"rate({app="a"}[1m])"#) }
    }
}

@Suite("LogQL as Loki reads it") struct LogQLSemanticsTests {
    @Test("variants are told apart by a label")
    func variants() async throws {
        let bench = LogQLBench()
        try await bench.add(["app": "a"], [(1, "12345"), (2, "1")])
        #expect(
            try await bench.values(
                #"variants(count_over_time({app="a"}[10s]), sum(bytes_over_time({app="a"} |= "2"[10s]))) of ({app="a"}[10s])"#, at: 5)
                == [#"{__variant__="0", app="a"} 2"#, #"{__variant__="1"} 5"#])
    }

    @Test("structured metadata named like a label of the stream gets another name")
    func metadataConflict() async throws {
        let bench = LogQLBench()
        try await bench.add(["app": "a", "level": "stream"], [(1, "x")], metadata: ["level": "meta"])
        #expect(try await bench.streams(#"{app="a"}"#).map(\.labels) == [["app": "a", "level": "stream", "level_extracted": "meta"] as Labels])
    }

    @Test("a filter by number leaves out broken lines that lack the label, and marks those whose value is no number")
    func filterErrors() async throws {
        let bench = LogQLBench()
        try await bench.add(["app": "a"], [(1, #"{"n":5}"#), (2, "no json"), (3, #"{"n":"many"}"#), (4, #"{"n":1}"#)])
        let streams = try await bench.streams(#"{app="a"} | json | n > 2"#)
        #expect(streams.flatMap(\.entries).map { $0.timestamp / 1_000_000_000 }.sorted() == [1, 3])
        let marked = try #require(streams.first { $0.labels["__error__"] != nil })
        #expect(marked.labels["__error__"] == "LabelFilterErr")
        #expect(marked.labels["__error_details__"] == #"strconv.ParseFloat: parsing "many": invalid syntax"#)
    }

    @Test("broken JSON says what Loki says, and gives what came before the break", arguments: [
        (#"{"a":1,"b":"open"#, #"Value is string, but can't find closing '"' symbol"#, ["a"]),
        (#"{"a":1,"b":{"c":2"#, "Value looks like object, but can't find closing '}' symbol", ["a"]),
        (#"{"a":1,"b":[1,2"#, "Value is array, but can't find closing ']' symbol", ["a"]), ("plain", "Value looks like object, but can't find closing '}' symbol", []),
        (#"{"a":1,"b":nonsense}"#, "Unknown value type", ["a"]), (#"{"a":1 "b":2}"#, "Value looks like object, but can't find closing '}' symbol", ["a"]),
        (#"{"a":1,"#, "Value is array, but can't find closing ']' symbol", ["a"]),
    ])
    func brokenJSON(line: String, details: String, labels: [String]) async throws {
        let bench = LogQLBench()
        try await bench.add(["app": "x"], [(1, line)])
        let stream = try #require(try await bench.streams(#"{app="x"} | json"#).first)
        #expect(stream.labels["__error__"] == "JSONParserErr")
        #expect(stream.labels["__error_details__"] == details)
        #expect(stream.labels.pairs.map(\.name).filter { !$0.hasPrefix("__") && $0 != "app" } == labels)
    }

    @Test("of several values of a field the first counts, also over several parsers")
    func firstWins() async throws {
        let bench = LogQLBench()
        try await bench.add(["app": "x"], [(1, #"{"a":"1","a":"2"}"#), (2, "a=3 a=4")])
        #expect(try await bench.streams(#"{app="x"} | json | logfmt | a != """#).compactMap { $0.labels["a"] }.sorted() == ["1", "3"])
    }

    @Test("all templates of a label_format see the labels from before it")
    func labelFormat() async throws {
        let bench = LogQLBench()
        try await bench.add(["app": "x"], [(1, "a=1 b=2")])
        let stream = try #require(try await bench.streams(#"{app="x"} | logfmt | label_format a="{{.b}}", c="{{.a}}""#).first)
        #expect(stream.labels["a"] == "2")
        #expect(stream.labels["c"] == "1")
    }

    @Test("parsers stop where the numbers need no more: a break behind that is no error")
    func hints() async throws {
        let bench = LogQLBench()
        try await bench.add(["app": "x"], [(1, #"{"level":"info","rest":"cut"#), (2, #"{"level":"warn"}"#)])
        #expect(try await bench.values(#"sum by (level) (count_over_time({app="x"} | json [10s]))"#, at: 5) == [#"{level="info"} 1"#, #"{level="warn"} 1"#])
        #expect(try await bench.values(#"sum(count_over_time({app="x"} | json [10s]))"#, at: 5) == ["{} 2"])
        await #expect(throws: QueryError.self) { try await bench.values(#"count_over_time({app="x"} | json [10s])"#, at: 5) }
    }

    @Test("the one side of a binary operation must be unique, matched or not")
    func uniqueness() async throws {
        let bench = LogQLBench()
        try await bench.add(["app": "x", "i": "1"], [(1, "a")])
        try await bench.add(["app": "x", "i": "2"], [(1, "a")])
        try await bench.add(["app": "y", "i": "1"], [(1, "a")])
        await #expect(throws: QueryError.self) {
            try await bench.values(#"sum by (app) (rate({app="y"}[5s])) / on (app) sum by (app, i) (rate({app="x"}[5s]))"#, at: 3)
        }
    }

    @Test("fields are found with their types, parsers and places")
    func detectedFields() async throws {
        let bench = LogQLBench()
        try await bench.add(["app": "x"], [(1, #"{"user":{"id":7},"ok":true,"took":"15ms","size":"2KB","f":1.5,"app":"y"}"#)], metadata: ["trace": "t1"])
        let fields = FieldDetection.fields(of: try await bench.streams(#"{app="x"}"#), limit: 100)
        let found = Dictionary(uniqueKeysWithValues: fields.map { ($0.label, $0) })
        #expect(found["user_id"]?.kind == .int)
        #expect(found["user_id"]?.path == ["user", "id"])
        #expect(found["user_id"]?.parsers == ["json"])
        #expect([found["ok"], found["took"], found["size"], found["f"]].map { $0?.kind } == [.boolean, .duration, .bytes, .float])
        #expect(found["trace"]?.parsers == [])
        #expect(found["app_extracted"]?.values == ["y"])
    }

    @Test("long queries are laid out over lines that read the same")
    func pretty() throws {
        let query = #"sum by (cluster, namespace) (rate({app="gateway", cluster="eu-west-1"} |= "status" | json | status >= 500 | line_format "{{.path}}" [5m])) / 2"#
        let expression = try LogQLParser.parse(query)
        let text = LogQLPrinter.pretty(expression)
        #expect(text.split(separator: "\n").count > 3)
        #expect(try LogQLParser.parse(text) == expression)
    }
}
