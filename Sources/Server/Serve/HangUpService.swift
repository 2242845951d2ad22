import ServiceLifecycle
import UnixSignals

/// Reloads the configuration at SIGHUP.
struct HangUpService: Service {
    let reload: @Sendable () async -> Void

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() { await reload() }
    }
}
