package import Logging
import EmbeddedStore
import ServiceLifecycle
import Telemetry
import UnixSignals

/// `apus serve`: opens the store, runs everything in one service group until SIGTERM or SIGINT, and closes the store.
package enum Serve {
    /// How long requests may take to finish after a signal, before they are cancelled.
    private static let drainSeconds = 15

    package static func run(options: ServeOptions, settings: ServerSettings, logger: Logger) async throws(ServeError) {
        Allocator.configure()
        let begin = ContinuousClock.now
        let folder = options.dataFolder ?? settings.dataFolder ?? ServeOptions.standardDataFolder
        let store = try open(folder, settings, logger)
        let queue = try openQueue(folder, settings, logger)
        var backend = ApusServer.Backend(
            store: store, state: store, run: { try await store.run() }, compact: { try await store.compact() },
            apply: { store.setRetention($0.retention.bySignal, diskBudget: $0.diskBudget) },
            administration: EmbeddedAdministration(store: store, folder: Snapshots(store: store)), queue: queue)
        backend.spoolFolder = folder + "/spool"
        do throws(ServeError) {
            let server = try ApusServer(options: options, settings: settings, backend: backend, logger: logger) { ports in
                let elapsed = ContinuousClock.now - begin
                logger.info(
                    "Apus is ready",
                    metadata: [
                        "version": "\(Version.number)", "data": "\(folder)", "http": "\(ports["http"] ?? 0)",
                        "otlp_http": "\(ports["otlp-http"] ?? 0)", "otlp_grpc": "\(ports["otlp-grpc"] ?? 0)",
                        "startup_ms": "\(elapsed.components.seconds * 1_000 + elapsed.components.attoseconds / 1_000_000_000_000_000)",
                    ])
            }
            try await runGroup(server, logger)
        } catch {
            await close(store, logger)
            throw error
        }
        await close(store, logger)
    }

    private static func runGroup(_ server: ApusServer, _ logger: Logger) async throws(ServeError) {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .error)
        let hangUp = HangUpService(reload: { try? await server.reload() })
        var configuration = ServiceGroupConfiguration(
            services: server.services + [hangUp], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
        configuration.maximumGracefulShutdownDuration = .seconds(drainSeconds)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let error as ServeError {
            throw error
        } catch {
            throw ServeError(.failure, "\(error)")
        }
    }

    private static func open(
        _ folder: String, _ settings: ServerSettings, _ logger: Logger
    ) throws(ServeError) -> EmbeddedStore {
        do {
            var storeOptions = EmbeddedStore.Options(dataFolder: folder)
            storeOptions.retention = settings.retention.bySignal
            storeOptions.diskBudget = settings.diskBudget
            storeOptions.diskReserveByteCount = settings.diskReserveByteCount
            storeOptions.log = { log($0, logger) }
            storeOptions.catalog = { folder throws(StoreError) in try Catalog.open(dataFolder: folder) }
            return try EmbeddedStore.open(storeOptions)
        } catch {
            switch error.code {
            case .inUse: throw ServeError(.dataFolderInUse, error.description)
            case .system: throw ServeError(.dataFolderUnreadable, "cannot use the data folder \(folder): \(error.description)")
            default: throw ServeError(.failure, error.description)
            }
        }
    }

    private static func log(_ event: StoreEvent, _ logger: Logger) {
        switch event.level {
        case .info: logger.info("\(event.message)")
        case .warning: logger.warning("\(event.message)")
        case .error: logger.error("\(event.message)")
        }
    }

    /// Where samples wait that `remote_write` sends on.
    private static func openQueue(_ folder: String, _ settings: ServerSettings, _ logger: Logger) throws(ServeError) -> DiskQueue {
        var options = DiskQueue.Options(folder: folder + "/remote", byteCountMax: settings.remoteWriteBudget)
        options.log = { log($0, logger) }
        do throws(StoreError) {
            return try DiskQueue.open(options)
        } catch {
            throw ServeError(.dataFolderUnreadable, "cannot use the queue of remote_write in \(folder)/remote: \(error.description)")
        }
    }

    /// Flushes what is in memory; what cannot be flushed stays in the write-ahead log for the next start.
    private static func close(_ store: EmbeddedStore, _ logger: Logger) async {
        do {
            try await store.close()
            logger.info("Apus has stopped")
        } catch {
            logger.error("the store was not closed cleanly; the next start replays its log", metadata: ["error": "\(error)"])
        }
    }
}
