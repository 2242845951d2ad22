import ArgumentParser
import Foundation

/// `apus query`
struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Ask a running server.",
        discussion: "The token, where one is needed, comes from the environment variable APUS_TOKEN.",
        subcommands: [PromQLQueryCommand.self, LogQLQueryCommand.self, TraceQLQueryCommand.self])
}

/// The server that is asked.
struct ServerOptions: ParsableArguments {
    @Option(help: "The server's base URL.")
    var url = "http://127.0.0.1:2787"

    var token: String? { ProcessInfo.processInfo.environment["APUS_TOKEN"] }

    func ask(_ path: String, _ parameters: [(name: String, value: String)]) async throws -> (status: Int, body: String) {
        try await QueryClient.ask(base: url, path: path, parameters: parameters, token: token)
    }

    /// Prints the answer's JSON.
    func printAnswer(_ path: String, _ parameters: [(name: String, value: String)]) async throws {
        let answer = try await ask(path, parameters)
        print(answer.body)
        if answer.status != 200 { throw ExitCode(1) }
    }
}

/// `apus query promql`
struct PromQLQueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "promql", abstract: "Ask for numbers, and print the server's JSON.")

    @Argument(help: "The query.")
    var expression: String

    @OptionGroup var server: ServerOptions

    func run() async throws {
        try await server.printAnswer("/api/v1/query", [("query", expression)])
    }
}

/// `apus query traceql`
struct TraceQLQueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "traceql", abstract: "Look for traces, and print the server's JSON.")

    @Argument(help: "The query.")
    var expression: String

    @OptionGroup var server: ServerOptions

    func run() async throws {
        try await server.printAnswer("/api/search", [("q", expression)])
    }
}
