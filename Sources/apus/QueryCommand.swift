import ArgumentParser
import Foundation
import Server

/// `apus query`
struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Ask a running server, and print its JSON.",
        discussion: "The token, where one is needed, comes from the environment variable APUS_TOKEN.")

    /// The query languages that have an endpoint of their own.
    enum Language: String, CaseIterable, ExpressibleByArgument {
        case promql, logql, traceql

        var path: String {
            switch self {
            case .promql: "/api/v1/query"
            case .logql: "/loki/api/v1/query_range"
            case .traceql: "/api/search"
            }
        }

        var parameter: String { self == .traceql ? "q" : "query" }
    }

    @Argument(help: "promql, logql or traceql.")
    var language: Language

    @Argument(help: "The query.")
    var expression: String

    @Option(help: "The server's base URL.")
    var url = "http://127.0.0.1:2787"

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let answer = try await QueryClient.ask(
            base: url, path: language.path, parameters: [(language.parameter, expression)], token: environment["APUS_TOKEN"])
        print(answer.body)
        if answer.status != 200 { throw ExitCode(1) }
    }
}
