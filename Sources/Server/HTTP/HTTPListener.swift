import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// An HTTP/1.1 listener as a service: serves until graceful shutdown, then lets the requests that are under way finish.
struct HTTPListener: Service {
    let address: ListenAddress
    let gateway: Gateway
    let logger: Logger
    /// Told the port once the listener is open.
    let didOpen: @Sendable (Int) -> Void

    func run() async throws {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let watch = gateway.watch
        let configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionWatch.Handler(watch)],
            idleTimeout: .seconds(Limits.idleTimeoutSeconds),
            httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                maxHeaderFieldSize: Limits.headerByteCountMax, maxHeaderListSize: Limits.headerByteCountMax,
                maxHeaderFieldCount: Limits.headerCountMax))
        let server = HTTPServerBuilder { EventLoopChannel(base: HTTP1Channel(responder: $0, configuration: configuration)) }
        let application = Application(
            responder: gateway, server: server,
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port), serverName: "apus", backlog: 512,
                availableConnectionsDelegate: MaximumAvailableConnections(Limits.connectionCountMax, logger: quiet)),
            onServerRunning: { [address, didOpen] channel in didOpen(channel.localAddress?.port ?? address.port) },
            logger: quiet)
        do {
            try await application.run()
        } catch let error as IOError {
            throw ServeError.cannotListen(on: address, code: error.errnoCode)
        }
    }
}
