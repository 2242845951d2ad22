import Query
import Telemetry
import TestSupport
import Testing
import TraceQL

/// A few traces: number n has a gateway (server) that calls orders, which asks the database; every third one fails.
struct TraceBench {
    let store = MemoryStore()
    var engine: TraceQLEngine { TraceQLEngine(store: store) }
    static let second: Int64 = 1_000_000_000

    init(count: UInt64 = 9) async throws {
        var gateway = SpanBatch.Group(
            resource: Resource([Attribute("service.name", .string("gateway")), Attribute("region", .string("eu"))]))
        var orders = SpanBatch.Group(resource: Resource([Attribute("service.name", .string("orders"))]))
        for n in 1...count {
            let start = Int64(n) * Self.second
            let id = TraceID(high: 0, low: n)
            let isFailed = n % 3 == 0
            gateway.spans.append(
                TraceSpan(
                    traceID: id, spanID: SpanID(n * 10 + 1), name: "GET /orders", kind: .server, start: start,
                    duration: Int64(n) * 100_000_000,
                    status: isFailed ? .error : .unset,
                    attributes: [Attribute("http.response.status_code", .int(isFailed ? 500 : 200)), Attribute("user", .string("u\(n)"))]))
            orders.spans.append(
                TraceSpan(
                    traceID: id, spanID: SpanID(n * 10 + 2), parentID: SpanID(n * 10 + 1), name: "list", kind: .server, start: start + 10,
                    duration: 50_000_000, attributes: [Attribute("retry", .bool(n == 1)), Attribute("load", .double(Double(n) / 2))]))
            for query in 0..<2 as Range<UInt64> {
                orders.spans.append(
                    TraceSpan(
                        traceID: id, spanID: SpanID(n * 10 + 3 + query), parentID: SpanID(n * 10 + 2), name: "SELECT", kind: .client,
                        start: start + 20 + Int64(query), duration: 10_000_000 * Int64(query + 1),
                        status: isFailed && query == 1 ? .error : .ok,
                        statusMessage: isFailed && query == 1 ? "deadlock" : "",
                        attributes: [Attribute("db.statement", .string("SELECT \(query)"))],
                        events: isFailed && query == 1
                            ? [
                                TraceSpan.Event(
                                    timestamp: start + 30, name: "exception", attributes: [Attribute("exception.type", .string("PgError"))])
                            ] : [],
                        scope: TraceSpan.Scope(name: "pgx", version: "5")))
            }
        }
        var batch = TelemetryBatch()
        batch.spans.groups = [gateway, orders]
        try await store.append(batch)
    }

    /// The numbers of the traces found, and how many spans matched in each.
    func found(_ query: String, limit: Int = 20) async throws -> [String] {
        try await engine.search(query, in: TimeRange(0, 1_000 * Self.second), limit: limit, spansPerSpanSet: 3, context: QueryContext())
            .sorted { $0.traceID < $1.traceID }.map { "\($0.traceID.low):\($0.spanSets.map { String($0.matched) }.joined(separator: "+"))" }
    }
}

@Suite struct TraceQLSearchTests {
    @Test(
        "finds the spans that a query describes",
        arguments: [
            ("{ }", ["1:4", "2:4", "3:4"]), (#"{ resource.service.name = "gateway" }"#, ["1:1", "2:1", "3:1"]),
            ("{ status = error }", ["3:2"]),
            (#"{ name = "SELECT" && status = error }"#, ["3:1"]), ("{ duration > 250ms }", ["3:1"]),
            ("{ .http.response.status_code >= 500 }", ["3:1"]),
            ("{ span.http.response.status_code = 200.0 }", ["1:1", "2:1"]), (#"{ .user =~ "u[12]" }"#, ["1:1", "2:1"]),
            (#"{ .user !~ "u[12]" }"#, ["3:1"]),
            (#"{ .user != "u1" }"#, ["2:1", "3:1"]), ("{ .user = nil && kind = server }", ["1:1", "2:1", "3:1"]),
            (#"{ .region = "eu" }"#, ["1:1", "2:1", "3:1"]),
            ("{ span.retry }", ["1:1"]), ("{ span.load * 2 = 3 }", ["3:1"]), ("{ !span.retry }", ["2:1", "3:1"]),
            ("{ kind = client }", ["1:2", "2:2", "3:2"]),
            (#"{ statusMessage = "deadlock" }"#, ["3:1"]), (#"{ event.exception.type = "PgError" }"#, ["3:1"]),
            (#"{ event:name = "exception" }"#, ["3:1"]),
            (#"{ instrumentation:name = "pgx" }"#, ["1:2", "2:2", "3:2"]), (#"{ span:id = "b" }"#, ["1:1"]),
            (#"{ trace:id = "2" }"#, ["2:4"]),
            ("{ traceDuration > 250ms }", ["3:4"]), (#"{ rootServiceName = "gateway" && name = "list" }"#, ["1:1", "2:1", "3:1"]),
            ("{ span:childCount = 2 }", ["1:1", "2:1", "3:1"]),
            ("{ nestedSetParent = -1 }", ["1:1", "2:1", "3:1"]), (#"{ parent.name = "list" && status = error }"#, ["3:1"]),
            (#"{ resource.service.name = "gateway" } >> { status = error }"#, ["3:1"]),
            (#"{ name = "list" } > { name = "SELECT" }"#, ["1:2", "2:2", "3:2"]),
            (#"{ resource.service.name = "gateway" } > { name = "SELECT" }"#, []),
            (#"{ name = "SELECT" } << { kind = server }"#, ["1:2", "2:2", "3:2"]),
            (#"{ name = "SELECT" } < { kind = server }"#, ["1:1", "2:1", "3:1"]), (#"{ status = error } ~ { name = "SELECT" }"#, ["3:1"]),
            (#"{ name = "list" } !> { name = "SELECT" }"#, []), (#"{ status = ok } !~ { kind = client }"#, ["3:1"]),
            (#"{ resource.service.name = "gateway" } !>> { kind = server }"#, ["1:1", "2:1", "3:1"]),
            (#"{ name = "list" } &> { status = error }"#, ["3:2"]),
            ("{ status = error } && { .user = `u3` }", ["3:2"]), ("{ status = error } || { .user = `u1` }", ["1:1", "3:2"]),
            ("{ kind = client } | count() > 1", ["1:2", "2:2", "3:2"]), ("{ status = error } | count() > 2", []),
            ("{ } | avg(duration) > 90ms", ["3:4"]),
            ("{ kind = client } | max(duration) = 20ms", ["1:2", "2:2", "3:2"]),
            ("{ } | by(kind) | count() > 1", ["1:2+2", "2:2+2", "3:2+2"]),
            ("{ } | by(status) | { kind = client } | coalesce()", ["1:2", "2:2", "3:2"]),
            ("({ kind = client } | count()) > 1", ["1:4", "2:4", "3:4"]),
            (#"{ name = "SELECT" } | { status = error }"#, ["3:1"]), ("max(duration) > 250ms", ["3:4"]), ("{ false }", []),
        ] as [(String, [String])])
    func search(query: String, expected: [String]) async throws {
        #expect(try await TraceBench(count: 3).found(query) == expected)
    }

    @Test("gives the newest traces first and stops at the limit")
    func limit() async throws {
        let bench = try await TraceBench(count: 60)
        let found = try await bench.engine.search(
            "{ status = error }", in: TimeRange(0, 50 * TraceBench.second), limit: 5, context: QueryContext())
        #expect(found.map(\.traceID.low) == [48, 45, 42, 39, 36])
        // Few candidates hold: the search goes on further back.
        let slow = try await bench.engine.search(
            "{ } | avg(duration) < 50ms", in: TimeRange(0, 100 * TraceBench.second), limit: 1, context: QueryContext())
        #expect(slow.map(\.traceID.low) == [1])
    }

    @Test("summarises a trace as Tempo does")
    func summary() async throws {
        let bench = try await TraceBench(count: 3)
        let found = try await bench.engine.search(
            "{ status = error && .db.statement != nil } | select(span.db.statement, resource.service.name)", in: .all, limit: 1,
            spansPerSpanSet: 1,
            context: QueryContext())
        let trace = try #require(found.first)
        #expect(trace.rootServiceName == "gateway")
        #expect(trace.rootTraceName == "GET /orders")
        #expect(trace.startTimeUnixNano == 3 * TraceBench.second)
        #expect(trace.durationMs == 300)
        #expect(trace.serviceStats["orders"]?.spanCount == 3)
        #expect(trace.serviceStats["orders"]?.errorCount == 1)
        let span = try #require(trace.spanSets.first?.spans.first)
        #expect(span.name == "SELECT")
        #expect(span.attributes["status"] == .string("error"))
        #expect(span.attributes["db.statement"] == .string("SELECT 1"))
        #expect(span.attributes["service.name"] == .string("orders"))
    }

    @Test("finds a trace by its id, by resource")
    func byID() async throws {
        let bench = try await TraceBench()
        let groups = try await bench.engine.trace(TraceID(high: 0, low: 2), context: QueryContext())
        #expect(groups.map(\.resource.serviceName).sorted() == ["gateway", "orders"])
        #expect(groups.reduce(0) { $0 + $1.spans.count } == 4)
        #expect(try await bench.engine.trace(TraceID(high: 1, low: 2), context: QueryContext()).isEmpty)
    }

    @Test(
        "takes the search that came before TraceQL",
        arguments: [
            ("service.name=orders", "", "", 9), ("error=true", "", "", 3), ("http.response.status_code=500", "", "", 3),
            ("user=u4", "", "", 1), ("", "850ms", "", 1),
            ("", "", "200ms", 2), ("name=\"GET /orders\" status.code=error", "500ms", "1s", 2), ("retry=true", "", "", 1),
        ])
    func tags(tags: String, minDuration: String, maxDuration: String, count: Int) async throws {
        let pipeline = try TagSearch.pipeline(tags: tags, minDuration: minDuration, maxDuration: maxDuration)
        let bench = try await TraceBench()
        #expect(try await bench.engine.search(pipeline, in: .all, limit: 20, spansPerSpanSet: 3, context: QueryContext()).count == count)
    }

    @Test("says what is wrong with such a search", arguments: [("a", ""), ("a=\"b", ""), ("=b", ""), ("", "5 parsecs")])
    func badTags(tags: String, minDuration: String) {
        #expect(throws: QueryError.self) { try TagSearch.pipeline(tags: tags, minDuration: minDuration) }
    }

    @Test("lists names and values of attributes")
    func names() async throws {
        let bench = try await TraceBench()
        let names = try await bench.engine.tagNames(in: .all, context: QueryContext())
        #expect(names.first { $0.scope == "resource" }?.names == ["region", "service.name"])
        #expect(names.first { $0.scope == "span" }?.names == ["db.statement", "http.response.status_code", "load", "retry", "user"])
        #expect(names.first { $0.scope == "event" }?.names == ["exception.type"])
        for (tag, values) in [
            ("resource.service.name", ["gateway", "orders"]), ("service.name", ["gateway", "orders"]),
            (".http.response.status_code", ["200", "500"]), ("name", ["GET /orders", "SELECT", "list"]),
            ("status", ["error", "ok", "unset"]), ("span.retry", ["false", "true"]), ("rootServiceName", ["gateway", "orders"]),
        ] {
            #expect(try await bench.engine.tagValues(tag, in: .all, context: QueryContext()).map(\.value) == values)
        }
        let filtered = try await bench.engine.tagValues("span.user", filter: "{ status = error }", in: .all, context: QueryContext())
        #expect(filtered.map(\.value) == ["u3", "u6", "u9"])
    }

    @Test("spans that call each other in a circle, or lack their parents, still make a trace")
    func circles() async throws {
        let store = MemoryStore()
        var batch = TelemetryBatch()
        let id = TraceID(high: 0, low: 1)
        batch.spans.groups = [
            SpanBatch.Group(
                resource: .unknown,
                spans: [(1, 2), (2, 1), (3, 3), (4, 99)].map { own, parent in
                    TraceSpan(traceID: id, spanID: SpanID(own), parentID: SpanID(parent), name: "s\(own)", start: Int64(own), duration: 1)
                })
        ]
        try await store.append(batch)
        let engine = TraceQLEngine(store: store)
        for query in ["{ } >> { }", "{ } << { }", "{ } ~ { }", "{ } &>> { }", "{ } !>> { }", "{ nestedSetLeft > 0 }"] {
            _ = try await engine.search(query, in: .all, context: QueryContext())
        }
        #expect(try await engine.search("{ }", in: .all, context: QueryContext()).first?.rootServiceName == "<root span not yet received>")
    }
}

@Suite struct TraceQLParserTests {
    @Test("signs of arithmetic belong to a name that they touch", arguments: [".a-b", ".a/b", "span.http/x+y%z", ".a:b"])
    func names(field: String) throws {
        let query = try TraceQLParser.parse("{ \(field) = 1 }")
        guard case .search(let pipeline) = query.body, case .spanset(.filter(.binary(.equal, .field(let read), _)?)) = pipeline.stages[0]
        else {
            Issue.record("no comparison")
            return
        }
        #expect(read.description == field)
    }

    @Test(
        "says where a query is wrong",
        arguments: [("{ .a = }", 8), ("{ span. }", 3), ("{ .a } |", 9), ("{ true } * { true }", 10), ("{ .a = \"b }", 8)])
    func places(query: String, column: Int) {
        let error = #expect(throws: QueryError.self) { try TraceQLParser.parse(query) }
        #expect(error?.place?.column == column)
        #expect(error?.message.contains("parse error at line 1, col \(column): ") == true)
    }

    @Test("no text makes it trap", arguments: UInt64(0)..<32)
    func fuzz(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let words = [
            "{", "}", ".a", "span.b", "=", "=~", "\"a\"", "|", "&&", "count()", "(", ")", "5", "1h", "-", "!", "by", ">", ">>", "rate()",
            "topk(", "9223372036854775807", "*", "%", "0", "\u{e9}", "select", "nil", "`",
        ]
        for _ in 0..<200 {
            let query = (0..<Int.random(in: 1..<12, using: &random)).map { _ in words.randomElement(using: &random) ?? "" }.joined(
                separator: Bool.random(using: &random) ? " " : "")
            _ = try? TraceQLParser.parse(query)
        }
    }

    @Test("refuses what would exhaust the stack", arguments: ["(", "{ (", "{ !", "{ -"])
    func depth(open: String) {
        let core = open.split(separator: " ").last.map(String.init) ?? open
        #expect(throws: QueryError.self) { try TraceQLParser.parse(open + String(repeating: core, count: 20_000)) }
    }
}

@Suite struct TraceQLMetricsTests {
    /// Series as `labels: values` over nine seconds in steps of three.
    private func metrics(_ query: String) async throws -> [String] {
        let series = try await TraceBench().engine.metrics(
            query, from: 3 * TraceBench.second, to: 9 * TraceBench.second, step: 3 * TraceBench.second, context: QueryContext())
        return series.map { one in
            one.labels.map { "\($0.name)=\($0.value.text)" }.joined(separator: ",") + ": "
                + one.values.map { String(($0 * 1_000).rounded() / 1_000) }.joined(separator: " ")
        }
    }

    @Test(
        "measures spans over time",
        arguments: [
            (#"{ name = "list" } | count_over_time()"#, ["__name__=count_over_time: 2.0 3.0 3.0"]),
            (
                "{ } | rate() by (resource.service.name)",
                ["resource.service.name=gateway: 1.0 1.0 1.0", "resource.service.name=orders: 2.0 3.0 3.0"]
            ),
            (#"{ resource.service.name = "gateway" } | max_over_time(duration)"#, ["__name__=max_over_time: 0.3 0.6 0.9"]),
            (#"{ name = "list" } | avg_over_time(span.load)"#, ["__name__=avg_over_time: 0.75 2.0 3.5"]),
            (#"{ resource.service.name = "gateway" } | quantile_over_time(duration, 0.5) by (kind)"#, ["kind=server,p=0.5: 0.2 0.5 0.8"]),
            (#"{ name = "list" } >> { status = error } | count_over_time()"#, ["__name__=count_over_time: 0.0 1.0 1.0"]),
            ("{ status = error } | count_over_time() > 1", ["__name__=count_over_time: 2.0 2.0"]),
            ("{ kind = client } | count_over_time() by (status) | topk(1)", ["status=ok: 4.0 5.0 5.0"]),
            ("({ status = error } | count_over_time()) / ({ } | count_over_time())", ["__name__=count_over_time: 0.111 0.167 0.167"]),
            ("({ } | rate()) * 3", ["__name__=rate: 9.0 12.0 12.0"]),
            ("{ } | count_over_time() by (rootName)", ["rootName=GET /orders: 9.0 12.0 12.0"]),
        ] as [(String, [String])])
    func values(query: String, expected: [String]) async throws {
        #expect(try await metrics(query) == expected)
    }

    @Test("refuses what it cannot answer", arguments: ["{ }", "{ } | compare({ status = error })"])
    func refused(query: String) async throws {
        await #expect(throws: QueryError.self) { try await metrics(query) }
    }
}
