import Foundation
import TestSupport
import Testing

/// Prometheus' own scripts, which lie beside the checkout where it is built at home.
@Suite("PromQL: Prometheus' scripts", .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)))
struct ScriptConformanceTests {
    /// How many evaluations of each file pass. A change may raise a number, never lower it.
    static let floors: [(file: String, passed: Int)] = [
        ("aggregators", 0), ("at_modifier", 0), ("fill-modifier", 0), ("functions", 0), ("histograms", 0), ("literals", 0),
        ("native_histograms", 0), ("operators", 0), ("selectors", 0), ("staleness", 0), ("start_timestamps", 0), ("subquery", 0),
    ]

    @Test("as many evaluations pass as ever did", arguments: floors)
    func evaluations(file: String, passed: Int) async throws {
        let outcome = try await ScriptRunner.run(try SharedCases.text("conformance/promql/scripts/\(file).test"))
        if ProcessInfo.processInfo.environment["APUS_SCRIPT_REPORT"] != nil {
            print("\(file): \(outcome.passed) passed, \(outcome.failures.count) failed")
            for failure in outcome.failures { print("  \(file).test \(failure)") }
        }
        #expect(outcome.passed >= passed, "\(outcome.failures.map(\.description).joined(separator: "\n"))")
    }
}
