import Glibc
import Telemetry

/// Health, reload, compaction and the server's own metrics.
struct AdminRoutes {
    let selfMetrics: SelfMetrics
    let isReady: @Sendable () -> Bool
    /// Reads the configuration anew; throws what is wrong with it.
    let reload: @Sendable () async throws -> Void
    /// Flushes and merges everything.
    let compact: @Sendable () async throws -> Void
    /// Whether `POST /-/quit` ends the process.
    let mayQuit: Bool

    var routes: [Route] {
        [
            Route([.get], "/-/healthy", scope: nil, errors: .text) { _ in .text("Apus is healthy.\n") }.on(.eventLoop),
            Route([.get], "/-/ready", scope: nil, errors: .text) { _ in try ready() }.on(.eventLoop),
            Route([.post, .put], "/-/reload", scope: .admin, errors: .text) { _ in
                do {
                    try await reload()
                } catch {
                    throw APIError(.internal, "failed to reload config: \(error)")
                }
                return .text("")
            },
            Route([.post], "/-/compact", scope: .admin, errors: .text) { _ in
                try await compact()
                return .empty(status: 204)
            },
            Route([.post, .put], "/-/quit", scope: .admin, errors: .text) { _ in try quit() },
            .get("/metrics", scope: .query, errors: .text) { _ in
                Answer(contentType: "text/plain; version=0.0.4; charset=utf-8", body: await selfMetrics.text())
            },
        ]
    }

    private func ready() throws -> Answer {
        guard isReady() else { throw APIError(.unavailable, "Apus is not ready yet") }
        return .text("Apus is ready.\n")
    }

    /// Ends the process as SIGTERM does: once what is under way is done.
    private func quit() throws -> Answer {
        guard mayQuit else { throw APIError(.forbidden, "Lifecycle API is not enabled: start with --enable-admin-api") }
        kill(getpid(), SIGTERM)
        return .text("Requesting termination... Goodbye!\n")
    }
}
