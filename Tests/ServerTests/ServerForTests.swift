import Logging
import Query
import Server
import TestSupport

/// A server that is put together but not run.
enum ServerForTests {
    @discardableResult
    static func make(_ options: ServeOptions) throws -> ApusServer {
        let backend = ApusServer.Backend(store: MemoryStore(), state: MemoryState(), run: {}, compact: {})
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try ApusServer(options: options, settings: try options.settings(), backend: backend, logger: logger)
    }
}
