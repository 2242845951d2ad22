import ArgumentParser
import Collectors
import Foundation
import Logging
import Server
import Settings

/// `apus agent`
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Collect logs as a promtail.yaml says, and send them to its clients.",
        discussion: """
            What a server cannot take waits in a spool in the data folder, beside the positions: kill -9 loses no line.

            Exit codes: 69 an address cannot be listened on, 75 the data folder is in use by another process, \
            77 the data folder cannot be used, 78 a bad configuration.
            """)

    @Option(help: ArgumentHelp("A promtail.yaml.", valueName: "file"))
    var config: String

    @Option(help: ArgumentHelp("The folder of positions and spools (default: \(Agent.standardDataFolder)).", valueName: "dir"))
    var dataDir = Agent.standardDataFolder

    @Option(help: ArgumentHelp("MiB that wait for one server at most; beyond it the oldest lines are dropped and counted.", valueName: "MiB"))
    var spoolSize = 1_024

    @Flag(name: [.customLong("config.expand-env"), .customLong("expand-env")], help: "Replace ${NAME} in the file.")
    var expandEnv = false

    @Flag(help: "Run the lines of standard input through the first job's stages; with --dry-run.")
    var stdin = false

    @Flag(help: "Print lines instead of sending them; with --stdin.")
    var dryRun = false

    @Flag(help: "Show on standard error what each stage does with each line; with --stdin.")
    var inspect = false

    @Option(help: ArgumentHelp("plain or json (default: plain).", valueName: "format"))
    var logFormat: LogFormat = .plain

    func validate() throws {
        guard stdin == dryRun, stdin || !inspect else {
            throw ValidationError("--stdin, --dry-run and --inspect go together: apus agent --config FILE --stdin --dry-run [--inspect]")
        }
    }

    func run() async throws {
        do throws(ServeError) {
            let (path, environment) = (config, expandEnv ? ProcessInfo.processInfo.environment : nil)
            let reread = { @Sendable () throws(ServeError) -> PromtailConfiguration in
                do throws(ConfigurationError) {
                    return try PromtailConfiguration.load(path: path, environment: environment)
                } catch {
                    throw ServeError(.configuration, error.description)
                }
            }
            let configuration = try reread()
            let format = logFormat
            LoggingSystem.bootstrap { _ in format.handler(level: .info) }
            let logger = Logger(label: "apus")
            for warning in configuration.warnings { logger.warning("\(warning.description)") }
            if stdin {
                await AgentPrinter(configuration, inspects: inspect, logger: logger).run()
                return
            }
            try await Agent(configuration, dataFolder: dataDir, spoolByteCountMax: max(1, spoolSize) << 20, logger: logger, reread: reread).run()
        } catch {
            try Failure.exit(error)
        }
    }
}
