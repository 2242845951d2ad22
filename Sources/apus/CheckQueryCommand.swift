import ArgumentParser
import Foundation
import LogQL
import PromQL
import Query
import TraceQL

/// `apus check query`
struct CheckQueryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Check queries, one JSON string a line of standard input.",
        discussion: """
            Prints `ok` or `error: …` for each line, in their order. Exits with 1 where any of them is wrong.
            """)

    enum Language: String, CaseIterable, ExpressibleByArgument {
        case promql, logql, traceql

        func check(_ query: String) throws(QueryError) {
            switch self {
            case .promql: _ = try PromQLParser.parse(query)
            case .logql: _ = try LogQLParser.parse(query)
            case .traceql: _ = try TraceQLParser.parse(query)
            }
        }
    }

    @Argument(help: "promql, logql or traceql.")
    var language: Language

    func run() throws {
        var hasErrors = false
        while let line = readLine() {
            let verdict = verdict(line)
            if verdict != "ok" { hasErrors = true }
            print(verdict)
        }
        if hasErrors { throw ExitCode(1) }
    }

    private func verdict(_ line: String) -> String {
        guard let query = try? JSONDecoder().decode(String.self, from: Data(line.utf8)) else {
            return "error: the line is no JSON string"
        }
        do throws(QueryError) {
            try language.check(query)
            return "ok"
        } catch {
            // One line for each, whatever the message quotes.
            return "error: " + error.description.split(whereSeparator: \.isNewline).joined(separator: " ")
        }
    }
}
