import Codecs
import LogQL
import Query
import ServiceLifecycle
import Telemetry

/// Lines as they come, over a WebSocket (Loki, HTTP API, "Stream logs"): first the last ones of the past, then every new one as soon as it
/// is stored.
struct LokiTailRoutes {
    let engine: LogQLEngine
    let runner: QueryRunner
    let live: LiveLogs
    let time: TimeSource

    /// Loki's bound on `delay_for`, in seconds.
    private static let delayMax = 5

    var routes: [Route] {
        ["/loki/api/v1/tail", "/api/prom/tail"].map { path in
            Route.form(path, scope: .query, errors: .loki) { call in try await tail(call, isLegacy: path.hasPrefix("/api/prom")) }
        }
    }

    private func tail(_ call: Call, isLegacy: Bool) async throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let query = try parameters.queryWithRegexp()
        let tail = try TailQuery(query)
        let limit = try parameters.limit(default: 100)
        let (start, _) = try parameters.range()
        let delay = try parameters.integer("delay_for") ?? 0
        guard delay >= 0 else { throw APIError(.badRequest, "delay_for value \(delay) is out of range [0, 4294967295]") }
        guard delay <= Self.delayMax else { throw APIError(.badRequest, "delay_for can't be greater than \(Self.delayMax)") }
        let session = LokiTailSession(
            tail: tail, delay: Int64(delay) * 1_000_000_000,
            json: isLegacy ? nil : LokiJSON(call), live: live, time: time
        ) {
            let now = time.nanoseconds
            // What a sender's clock stamps ahead of ours is stored, and so belongs to the past.
            let range = TimeRange(min(start, now), now.addingReportingOverflow(3_600_000_000_000).partialValue)
            let engine = engine
            let selector = tail.selector
            return try await runner.run("logql", query, for: call) { context throws(QueryError) in
                try await engine.lines(selector, in: range, limit: limit, direction: .backward, context: context)
            }
        }
        return .webSocket { socket in
            try await call.connection.whileOpen(onClose: { session.end() }) {
                try await withGracefulShutdownHandler {
                    try await session.run(on: socket)
                } onGracefulShutdown: {
                    session.end()
                }
            }
        }
    }
}
