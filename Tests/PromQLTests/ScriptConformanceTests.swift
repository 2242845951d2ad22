import Foundation
import PromQL
import TestSupport
import Testing

/// Prometheus' own scripts, which lie beside the checkout where it is built at home.
@Suite("PromQL: Prometheus' scripts", .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)))
struct ScriptConformanceTests {
    /// How many evaluations of each file pass. A change may raise a number, never lower it.
    static let floors: [(file: String, passed: Int)] = [
        ("aggregators", 160), ("at_modifier", 78), ("fill-modifier", 28), ("functions", 262), ("histograms", 185),
        ("literals", 25),
        ("native_histograms", 310), ("operators", 132), ("selectors", 31), ("staleness", 17), ("start_timestamps", 14),
        ("subquery", 34)
    ]

    @Test("as many evaluations pass as ever did", arguments: floors)
    func evaluations(file: String, passed: Int) async throws {
        let outcome = try await PromQLScriptRunner.run(try SharedCases.text("conformance/promql/scripts/\(file).test"))
        if ProcessInfo.processInfo.environment["APUS_SCRIPT_REPORT"] != nil {
            print("\(file): \(outcome.passed) passed, \(outcome.failures.count) failed")
            for failure in outcome.failures { print("  \(file).test \(failure)") }
        }
        #expect(outcome.passed >= passed, "\(outcome.failures.map(\.description).joined(separator: "\n"))")
    }
}
