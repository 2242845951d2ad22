package import Collectors
import EmbeddedStore
package import Logging
import ServiceLifecycle
import Synchronization
import Telemetry
import UnixSignals

/// `apus agent`: collects logs as a `promtail.yaml` says, and sends them to the servers in its `clients`.
package struct Agent: Sendable {
    package static let standardDataFolder = "./apus-agent-data"

    private let configuration: PromtailConfiguration
    private let dataFolder: String
    private let spoolByteCountMax: Int
    private let logger: Logger
    /// Reads the file again, for SIGHUP and `POST /reload`.
    private let reread: @Sendable () throws(ServeError) -> PromtailConfiguration

    /// - Parameters:
    ///   - dataFolder: of positions and spools; made where it does not exist.
    ///   - spoolByteCountMax: what one server's spool may hold.
    ///   - reread: reads the configuration again.
    package init(
        _ configuration: PromtailConfiguration, dataFolder: String, spoolByteCountMax: Int, logger: Logger,
        reread: @escaping @Sendable () throws(ServeError) -> PromtailConfiguration
    ) {
        self.reread = reread
        self.configuration = configuration
        self.dataFolder = dataFolder
        self.spoolByteCountMax = spoolByteCountMax
        self.logger = logger
    }

    /// Runs until SIGTERM or SIGINT.
    package func run() async throws(ServeError) {
        Allocator.configure()
        let (lock, catalog) = try open()
        defer { withExtendedLifetime(lock) {} }
        let transport = HTTPTransport(userAgent: "apus/\(Version.number)")
        var place = LogCollection.Place(store: nil, positions: catalog, spoolFolder: dataFolder + "/spool", transport: transport) { client in
            LokiPushClient(client, transport: transport).post
        }
        place.spoolByteCountMax = spoolByteCountMax
        let collection: LogCollection
        do { collection = try LogCollection(configuration, place: place, logger: logger) } catch {
            throw ServeError(.configuration, "\(error)")
        }
        do throws(ServeError) { try await run(collection) } catch {
            await transport.shutdown()
            throw error
        }
        await transport.shutdown()
    }

    private func open() throws(ServeError) -> (any Sendable, Catalog) {
        let files = PosixFileSystem()
        do throws(StoreError) {
            try files.createFolder(dataFolder)
            return (try files.lock(dataFolder + "/LOCK"), try Catalog.open(dataFolder: dataFolder))
        } catch {
            throw ServeError(error.code == .inUse ? .dataFolderInUse : .dataFolderUnreadable, error.description)
        }
    }

    private func run(_ collection: LogCollection) async throws(ServeError) {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .error)
        let pages = AgentPages(configuration, collection: collection, logger: logger, reread: reread)
        var services = collection.services
        if let listener = try listener(pages) { services.append(listener) }
        services.append(HangUpService(reload: { try? pages.reload() }))
        do {
            try await ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
            ).run()
        } catch let error as ServeError {
            throw error
        } catch {
            throw ServeError(.failure, "\(error)")
        }
    }

    /// `/ready`, `/metrics` and the other pages.
    private func listener(_ pages: AgentPages) throws(ServeError) -> HTTPListener? {
        let server = configuration.server
        if server.isDisabled { return nil }
        let text = "\(server.host.isEmpty ? "127.0.0.1" : server.host):\(server.port)"
        guard let address = ListenAddress(text) else { throw ServeError(.configuration, "\(configuration.file): server: \(text) is no address") }
        let live = LiveSettings(LiveSettings.Values(access: Access(tokens: [], hosts: nil)))
        let gateway = Gateway(
            routes: RouteTable(pages.routes), settings: live, metrics: ServerMetrics(), watch: ConnectionWatch(), budget: BodyBudget(), time: .system)
        let logger = logger
        return HTTPListener(address: address, gateway: gateway, logger: logger) { port in
            logger.info("The agent is ready", metadata: ["http": "\(port)"])
        }
    }
}
