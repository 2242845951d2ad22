import LogQL
import Query
import Telemetry
import TestSupport
import Testing

@Suite("LineDeletion")
struct LineDeletionTests {
    private static let all = TimeRange(0, 1_000_000_000_000)

    private func deletions(_ bench: LogQLBench, _ query: String, in range: TimeRange = all) async throws -> [LineDeletion] {
        guard case .logs(let selector) = try LogQLParser.parse(query) else { return [] }
        return try await bench.engine.deletions(of: selector, in: range, context: QueryContext())
    }

    @Test("the lines that pass the filters go, and no others, also of streams whose labels are a part of another's")
    func exact() async throws {
        let bench = LogQLBench()
        try await bench.add(["a": "b"], [(1, "x 1"), (2, "x 2"), (3, "y"), (4, "x 3"), (9, "x 9")])
        try await bench.add(["a": "b", "c": "d"], [(1, "y 1"), (2, "x 4"), (3, "y 2")])
        try await bench.add(["a": "other"], [(1, "x")])
        let found = try await deletions(bench, #"{a="b"} |= "x""#, in: TimeRange(0, 5_000_000_000))
        #expect(found.map(\.range) == [
            TimeRange(1_000_000_000, 2_000_000_000), TimeRange(4_000_000_000, 4_000_000_000), TimeRange(2_000_000_000, 2_000_000_000),
        ])
        for deletion in found { try await bench.store.delete(.logs, matching: deletion.matchers, in: deletion.range) }
        #expect(try await bench.lines(#"{a="b"}"#).sorted() == ["x 9", "y", "y 1", "y 2"])
        #expect(try await bench.lines(#"{a="other"}"#) == ["x"])
    }

    @Test("a line that stays at the very instant of one that goes, and lines in too many places, are refused")
    func refused() async throws {
        let bench = LogQLBench()
        try await bench.add(["a": "b"], [(1, "x"), (1, "y")])
        let error = await #expect(throws: QueryError.self) { try await deletions(bench, #"{a="b"} |= "x""#) }
        #expect(error?.message.contains("has the same timestamp, 1000000000") == true)
        #expect(try await deletions(bench, #"{a="b"} |~ "x|y""#).count == 1)
        try await bench.add(["many": "c"], (0..<2_002).map { (Int64($0) + 10, $0 % 2 == 0 ? "x" : "y") })
        let many = await #expect(throws: QueryError.self) { try await deletions(bench, #"{many="c"} |= "x""#, in: .all) }
        #expect(many?.message.contains("more than 1000 places") == true)
    }
}
