import Foundation
import PromQL
import Testing

/// The project's own scripts, in the notation of Prometheus' `promqltest`: one file a family.
@Suite("PromQL: scripts")
struct ScriptTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scripts")

    @Test(
        "every evaluation gives what the script states",
        arguments: [
            "selectors", "rates", "over_time", "aggregations", "operators", "functions", "histograms", "extended", "info", "starts",
        ])
    func evaluations(name: String) async throws {
        let text = try String(contentsOf: Self.folder.appending(path: "\(name).test"), encoding: .utf8)
        let outcome = try await PromQLScriptRunner.run(text)
        #expect(outcome.passed > 0)
        #expect(outcome.failures.isEmpty, "\(outcome.failures.map { "\(name).test \($0)" }.joined(separator: "\n"))")
    }
}
