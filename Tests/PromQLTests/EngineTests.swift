import PromQL
import Query
import Telemetry
import TestSupport
import Testing

@Suite("PromQL: engine")
struct EngineTests {
    private static let script = """
        load 1m
          m{a="1"} 1+1x10
          m{a="2"} 2+2x10
        """

    private func engine() async throws -> PromQLEngine {
        PromQLEngine(store: try await PromQLScriptRunner.store(Self.script))
    }

    @Test("a query over its budget of samples ends with Prometheus' words")
    func budget() async throws {
        var limits = QueryContext.Limits()
        limits.sampleCountMax = 10
        let error = await #expect(throws: QueryError.self) {
            try await engine().instant("count_over_time(m[10m])", at: 600_000, context: QueryContext(limits: limits))
        }
        #expect(error?.code == .limit)
        #expect(error?.message == "query processing would load too many samples into memory in query execution")
    }

    @Test("a cancelled query ends")
    func cancelled() async throws {
        let context = QueryContext()
        context.cancel()
        let error = await #expect(throws: QueryError.self) { try await engine().instant("m", at: 0, context: context) }
        #expect(error?.code == .cancelled)
    }

    @Test("a query past its deadline ends")
    func timeout() async throws {
        var limits = QueryContext.Limits()
        limits.timeout = .zero
        let error = await #expect(throws: QueryError.self) {
            try await engine().instant("m", at: 0, context: QueryContext(limits: limits))
        }
        #expect(error?.code == .timeout)
    }

    @Test("a range query refuses what makes no range")
    func badRanges() async throws {
        let engine = try await engine()
        for (query, from, to, step) in [
            ("m", 0, 60, 0), ("m", 60, 0, 1), ("m", 0, 11_000, 1), ("m[5m]", 0, 1, 1), ("\"s\"", 0, 1, 1)
        ] as [(String, Int64, Int64, Int64)] {
            let error = await #expect(throws: QueryError.self) {
                try await engine.range(
                    query, from: from * 1000, to: to * 1000, step: step * 1000, context: QueryContext())
            }
            #expect(error?.code == .execution)
        }
        _ = try await engine.range("m", from: 0, to: 10_999_000, step: 1000, context: QueryContext())
    }

    @Test(
        "times and durations at the ends of the number line are errors, not traps",
        arguments: [Int64.min, .max, 1 << 61])
    func extremeTimes(time: Int64) async throws {
        let engine = try await engine()
        await #expect(throws: QueryError.self) { try await engine.instant("m", at: time, context: QueryContext()) }
        await #expect(throws: QueryError.self) {
            try await engine.range("m", from: time, to: time, step: 1, context: QueryContext())
        }
        for query in [
            "m offset 200000000y", "m @ 9e15", "rate(m[290000000y])", "m @ 1e300", "avg_over_time(m[1y:1ms])",
            "month(vector(1e300))", "topk(1e300, m)"
        ] {
            _ = try? await engine.instant(query, at: 0, context: QueryContext())
        }
    }

    @Test("scalars, strings, vectors and matrices come as what they are")
    func kinds() async throws {
        let engine = try await engine()
        guard case .scalar(60_000, 3) = try await engine.instant("1 + 2", at: 60_000, context: QueryContext()).value
        else {
            Issue.record("no scalar")
            return
        }
        guard case .string(0, "s") = try await engine.instant("\"s\"", at: 0, context: QueryContext()).value else {
            Issue.record("no string")
            return
        }
        guard case .matrix(let raw) = try await engine.instant("m[2m]", at: 120_000, context: QueryContext()).value
        else {
            Issue.record("no matrix")
            return
        }
        #expect(raw.map(\.timestamps) == [[60_000, 120_000], [60_000, 120_000]])
        guard
            case .matrix(let range) = try await engine.range(
                "1", from: 0, to: 2000, step: 1000, context: QueryContext()
            ).value
        else {
            Issue.record("no matrix")
            return
        }
        #expect(range.first?.values == [1, 1, 1])
    }

    @Test("without delayed name removal a name goes with the function that makes it wrong")
    func namesGoAtOnce() async throws {
        let engine = try await engine()
        let query = "label_replace(rate(m[5m]), \"name\", \"$1\", \"__name__\", \"(.*)\")"
        guard case .vector(let samples) = try await engine.instant(query, at: 600_000, context: QueryContext()).value
        else {
            Issue.record("no vector")
            return
        }
        #expect(samples.map(\.labels).sorted() == [Labels(["a": "1"]), Labels(["a": "2"])])
    }

    @Test("a million series' worth of columns stays within the budget of bytes")
    func bytes() async throws {
        var limits = QueryContext.Limits()
        limits.byteCountMax = 100
        let error = await #expect(throws: QueryError.self) {
            try await engine().range("m", from: 0, to: 600_000, step: 1000, context: QueryContext(limits: limits))
        }
        #expect(error?.code == .limit)
    }
}
