import Foundation
import PromQL
import Query
import TestSupport
import Testing

/// 1280 queries that people use, and some that are wrong.
@Suite("PromQL: real queries", .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)))
struct QueryConformanceTests {
    @Test("each parses, formats back to an equal query, and runs")
    func queries() async throws {
        let engine = PromQLEngine(store: MemoryStore())
        var failures: [String] = []
        var count = 0
        for line in try SharedCases.text("conformance/promql/queries.txt").split(separator: "\n").map(String.init)
        where !line.isEmpty {
            count += 1
            do {
                let expression = try PromQLParser.parse(line)
                let again = try PromQLParser.parse("\(expression)")
                if again != expression { failures.append("\(line) became \(expression)") }
                if expression.type == .matrix || expression.type == .string {
                    _ = try await engine.instant(line, at: 0, context: QueryContext())
                } else {
                    _ = try await engine.range(line, from: 0, to: 60_000, step: 15_000, context: QueryContext())
                }
            } catch {
                failures.append("\(line): \(error)")
            }
        }
        #expect(count > 1000)
        #expect(failures.isEmpty, "\(failures.count) of \(count):\n\(failures.joined(separator: "\n"))")
    }

    @Test("each wrong one fails where it must, with line and column")
    func mustFail() async throws {
        let engine = PromQLEngine(store: try await Self.store())
        for line in try SharedCases.text("conformance/promql/queries-mustfail.tsv").split(separator: "\n").dropFirst() {
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard columns.count == 4, !columns[2].contains("no longer fails") else { continue }
            do {
                _ = try await engine.instant(columns[3], at: 60_000, context: QueryContext())
                Issue.record("did not fail: \(columns[3])")
            } catch {
                #expect(error.code == (columns[0] == "parse" ? .parse : .execution), "\(columns[3]): \(error)")
                if error.code == .parse { #expect(error.place != nil, "\(columns[3])") }
            }
        }
    }

    private static func store() async throws -> MemoryStore {
        try await PromQLScriptRunner.store(
            """
            load 1m
              demo_num_cpus{instance="a", job="demo"} 1 1
              demo_num_cpus{instance="b", job="demo"} 1 1
            """)
    }
}
