import ArgumentParser
import Server

/// The command line of Apus.
@main
struct Apus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "Metrics, logs, traces, profiles and alerts in one binary.",
        version: Version.number,
        subcommands: [
            ServeCommand.self, AgentCommand.self, CheckCommand.self, TestCommand.self, QueryCommand.self, BackupCommand.self, RestoreCommand.self,
            VersionCommand.self,
        ])
}

/// `apus version`
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() {
        print("apus \(Version.number)")
    }
}
