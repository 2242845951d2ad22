import ArgumentParser
import Foundation
import LogQL
import Query

/// `apus query logql`
struct LogQLQueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logql", abstract: "Show log lines or numbers of them.",
        discussion: """
            Lines come oldest first, as people read them: time, labels, line. Labels that all lines have in common are said once, on standard \
            error. A query for numbers prints each series with its points. There is no wall of so many lines: --limit 0 means all of them.
            """)

    enum Output: String, CaseIterable, ExpressibleByArgument {
        /// Time, labels, line.
        case standard = "default"
        /// The lines alone.
        case raw
        /// One JSON object a line.
        case jsonl
        /// The server's JSON.
        case json
    }

    @Argument(help: "The query.")
    var expression: String

    @OptionGroup var server: ServerOptions

    @Option(help: "How far back, such as 15m, 6h or 2d.")
    var since = "1h"

    @Option(help: "From this time on (RFC 3339, or seconds or nanoseconds since the epoch), instead of --since.")
    var from: String?

    @Option(help: "Up to this time; now, where not given.")
    var to: String?

    @Option(help: "The most lines to show, the newest; 0: all.")
    var limit = 100

    @Option(help: "For queries for numbers: the time between two points; one point, now, where not given.")
    var step: String?

    @Flag(name: [.short, .long], help: "Go on with new lines as they come.")
    var tail = false

    @Flag(help: "Newest lines first.")
    var newestFirst = false

    @Option(name: [.short, .long], help: "default, raw (lines alone), jsonl (an object a line) or json (the server's answer).")
    var output = Output.standard

    @Flag(help: "Do not show labels.")
    var noLabels = false

    func run() async throws {
        let isLines: Bool
        do throws(QueryError) {
            if case .logs = try LogQLParser.parse(expression) { isLines = true } else { isLines = false }
        } catch {
            StandardError.write("\(error.message)\n")
            throw ExitCode(1)
        }
        guard isLines else { return try await numbers() }
        if output == .json {
            return try await server.printAnswer(
                "/loki/api/v1/query_range", times + [("query", expression), ("limit", String(limit == 0 ? 5_000 : limit))])
        }
        try await lines()
        if tail { try await follow() }
    }

    private var times: [(name: String, value: String)] {
        var times: [(name: String, value: String)] = [("since", since)]
        if let from { times.append(("start", from)) }
        if let to { times.append(("end", to)) }
        return times
    }

    // MARK: Lines

    private func lines() async throws {
        let printer = LogLinePrinter(output: output, showsLabels: !noLabels)
        // All lines, or the oldest of them, come as a stream; the newest in pages, because they are the last to be known.
        guard limit > 0 else {
            let order = newestFirst ? "backward" : "forward"
            try await server.stream("/api/apus/logs/export", times + [("query", expression), ("direction", order)]) { printer.print([$0]) }
            return
        }
        var (found, cursor): ([LogLine], String) = ([], "")
        while found.count < limit {
            let answer = try await server.ask(
                "/api/apus/logs",
                times + [("query", expression), ("limit", String(min(limit - found.count, 5_000))), ("cursor", cursor)])
            guard answer.status == 200 else { throw Self.failure(answer.body) }
            let page = try JSONDecoder().decode(LogLinePage.self, from: Data(answer.body.utf8))
            found += page.lines
            guard let next = page.cursor else { break }
            cursor = next
        }
        printer.printCommonLabels(of: found)
        printer.print(newestFirst ? found : found.reversed())
    }

    private func follow() async throws {
        let printer = LogLinePrinter(output: output, showsLabels: !noLabels)
        try await server.stream("/api/apus/logs/tail", [("query", expression)], timeout: nil) { printer.print([$0]) }
    }

    static func failure(_ body: String) -> ExitCode {
        StandardError.write(body.hasSuffix("\n") ? body : body + "\n")
        return ExitCode(1)
    }

    // MARK: Numbers

    private func numbers() async throws {
        let isRange = step != nil
        var parameters: [(name: String, value: String)] = [("query", expression)]
        if let step { parameters += times + [("step", step)] } else if let to { parameters.append(("time", to)) }
        let path = isRange ? "/loki/api/v1/query_range" : "/loki/api/v1/query"
        if output == .json { return try await server.printAnswer(path, parameters) }
        let answer = try await server.ask(path, parameters)
        guard answer.status == 200 else { throw Self.failure(answer.body) }
        for line in try NumberLines.lines(Data(answer.body.utf8), isPlain: output == .raw) { print(line) }
    }
}
