import ArgumentParser
import Formats
import Foundation

/// `apus check metrics`
struct CheckMetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Check exposed metrics for mistakes and bad names.",
        discussion: """
            Reads Prometheus' text format, as a target serves it under /metrics. \
            Exits with 1 where it cannot be parsed, with 3 where something was found.
            """)

    @Argument(help: ArgumentHelp("The text; standard input where none is named.", valueName: "file"))
    var file: String?

    @Flag(help: "Print how many series each metric has.")
    var extended = false

    @Flag(help: "The text is OpenMetrics.")
    var openmetrics = false

    func run() throws {
        let bytes: [UInt8]
        do {
            bytes = try file.map { [UInt8](try Data(contentsOf: URL(filePath: $0))) } ?? StandardInput.bytes()
        } catch {
            StandardError.write("apus: \(file ?? "standard input") cannot be read: \(error.localizedDescription)")
            throw ExitCode(1)
        }
        let result: ExpositionResult
        do throws(FormatError) {
            result = try Exposition.parse(
                bytes, contentType: openmetrics ? "application/openmetrics-text" : nil, defaultTimestamp: 0,
                honorTimestamps: true)
        } catch {
            StandardError.write("error while linting: \(error)")
            throw ExitCode(1)
        }
        let problems = ExpositionLint.problems(result)
        for problem in problems { StandardError.write("\(problem.metric) \(problem.text)") }
        if extended { printCardinalities(result) }
        if !problems.isEmpty { throw ExitCode(3) }
    }

    private func printCardinalities(_ result: ExpositionResult) {
        let rows = ExpositionLint.cardinalities(result)
        let total = max(1, rows.reduce(0) { $0 + $1.seriesCount })
        let width = (rows.map(\.metric.count) + [6]).max() ?? 6
        func line(_ metric: String, _ count: String, _ share: String) {
            let name = metric + String(repeating: " ", count: width - metric.count)
            print("\(name)  \(String(repeating: " ", count: max(0, 11 - count.count)))\(count)  \(share)")
        }
        line("Metric", "Cardinality", "Percentage")
        for row in rows {
            let share = Double(row.seriesCount) / Double(total) * 100
            line(row.metric, "\(row.seriesCount)", "\((share * 100).rounded() / 100)%")
        }
    }
}
