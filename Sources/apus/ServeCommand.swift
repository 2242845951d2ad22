import ArgumentParser
import Foundation
import Logging
import PromQL
import Server

/// `apus serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the server until SIGTERM.",
        discussion: """
            ServerSettings come from the command line, then from the file, then from the defaults. \
            Tokens may also come from the environment: APUS_TOKEN (all scopes), APUS_TOKEN_INGEST, APUS_TOKEN_QUERY.

            Exit codes: 69 an address cannot be listened on, 75 the data folder is in use by another process, \
            76 an address beyond loopback without tokens, 77 the data folder cannot be used, 78 a bad configuration.
            """)

    @Option(help: ArgumentHelp("The folder for all data (default: \(ServeOptions.standardDataFolder)).", valueName: "dir"))
    var dataDir: String?

    @Option(help: ArgumentHelp("Where APIs and web app listen (default: \(ServeOptions.standardListen)).", valueName: "address"))
    var listen: ListenAddress?

    @Option(help: ArgumentHelp("Where OTLP over gRPC listens (default: \(ServeOptions.standardGRPCListen)).", valueName: "address"))
    var otlpGrpcListen: ListenAddress?

    @Option(help: ArgumentHelp("Where OTLP over HTTP listens too (default: \(ServeOptions.standardOTLPListen)).", valueName: "address"))
    var otlpHttpListen: ListenAddress?

    @Option(help: ArgumentHelp("An apus.yaml.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The folder of the web app's files.", valueName: "dir"))
    var webDir: String?

    @Option(help: ArgumentHelp("plain or json (default: plain).", valueName: "format"))
    var logFormat: LogFormat?

    @Option(help: ArgumentHelp("debug, info, warning or error.", valueName: "level"), transform: Self.level)
    var logLevel: Logger.Level = .info

    @Option(help: ArgumentHelp(Self.featureHelp, valueName: "names"))
    var enableFeature: [String] = []

    @Flag(help: "Listen beyond loopback without tokens: everybody who reaches the address may read and write everything.")
    var insecure = false

    private static let featureHelp: String = {
        let names = PromQLFeatures.byName.keys.sorted().joined(separator: ", ")
        return "Experimental parts of PromQL, separated by commas, by the names that Prometheus gives them: \(names)."
    }()
    @Flag(
        name: [.customLong("enable-admin-api"), .customLong("web.enable-admin-api")],
        help: "Answer /api/v1/admin/tsdb/: deletions and snapshots, for tokens with the scope admin.")
    var enableAdminAPI = false

    private static func level(_ text: String) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: text) else {
            throw ValidationError("\(text) is no log level: use debug, info, warning or error")
        }
        return level
    }

    func run() async throws {
        var options = ServeOptions()
        options.configurationFile = config
        options.dataFolder = dataDir
        options.listen = listen
        options.grpcListen = otlpGrpcListen
        options.otlpListen = otlpHttpListen
        options.webFolder = webDir
        options.isInsecure = insecure
        options.featureNames = enableFeature.flatMap { $0.split(separator: ",").map(String.init) }
        options.isAdminAPIEnabled = enableAdminAPI
        options.environment = ProcessInfo.processInfo.environment
        do throws(ServeError) {
            let settings = try options.settings()
            let format = logFormat ?? settings.logFormat ?? .plain
            let level = logLevel
            LoggingSystem.bootstrap { _ in format.handler(level: level) }
            // As in Prometheus: what is on for everybody here, or not known at all, is no reason not to start.
            for name in options.featureNames where PromQLFeatures.byName[name] == nil && !ServeOptions.otherFeatureNames.contains(name) {
                Logger(label: "apus").warning("unknown option for --enable-feature", metadata: ["option": .string(name)])
            }
            try await Serve.run(options: options, settings: settings, logger: Logger(label: "apus"))
        } catch {
            try Failure.exit(error)
        }
    }
}

/// How a command ends that cannot go on.
enum Failure {
    /// Says why in one sentence and ends the process with the error's code.
    static func exit(_ error: ServeError) throws -> Never {
        FileHandle.standardError.write(Data("apus: \(error.description)\n".utf8))
        throw ExitCode(error.exitCode.rawValue)
    }
}

extension ListenAddress: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(argument)
    }
}

extension LogFormat: ExpressibleByArgument {}
