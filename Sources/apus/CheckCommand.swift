import ArgumentParser
import Foundation
import Server

/// `apus check`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check files before the server reads them.", subcommands: [
            CheckConfigCommand.self, CheckRulesCommand.self, CheckMetricsCommand.self, CheckQueryCommand.self, CheckDataCommand.self,
        ])
}

/// `apus check config`
struct CheckConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check an apus.yaml and the files that it names, or a promtail.yaml.",
        discussion: "Prints what is wrong with file, line and column, and exits with 78; warnings are printed and do no harm.")

    @Argument(help: ArgumentHelp("The apus.yaml or promtail.yaml.", valueName: "file"))
    var file: String

    @Flag(
        name: [.customLong("expand-env"), .customLong("config.expand-env")],
        help: "Replace ${NAME} in a promtail.yaml by the environment's variables, as Promtail does with -config.expand-env.")
    var expandEnv = false

    func run() throws {
        var options = ServeOptions()
        options.configurationFile = file
        options.expandsEnvironment = expandEnv
        options.environment = ProcessInfo.processInfo.environment
        do throws(ServeError) {
            let report = try ConfigurationCheck.run(options)
            for warning in report.warnings { print("warning: \(warning)") }
            print("\(file) is valid: \(report.summary)")
        } catch {
            try Failure.exit(error)
        }
    }
}
