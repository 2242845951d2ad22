import Synchronization
import Telemetry

/// What the server counts about itself, for `/metrics`.
package final class ServerMetrics: Sendable {
    /// How a request to store something ended.
    package enum Outcome: String, Sendable, Hashable {
        case stored
        /// Part of it was refused, the rest stored.
        case partial
        /// Refused for what it holds.
        case invalid
        /// Refused for the server's state: overloaded, disk full, shutting down.
        case failed
    }

    struct RouteStatus: Hashable, Sendable {
        var route: String
        var status: Int
    }

    struct ProtocolOutcome: Hashable, Sendable {
        var ingest: IngestProtocol
        var outcome: Outcome
    }

    struct ProtocolSignal: Hashable, Sendable {
        var ingest: IngestProtocol
        var signal: Signal
    }

    struct State: Sendable {
        var requests: [RouteStatus: UInt64] = [:]
        var requestDurations: [String: DurationHistogram] = [:]
        var ingests: [ProtocolOutcome: UInt64] = [:]
        var ingestedRows: [ProtocolSignal: UInt64] = [:]
        var rejectedRows: [IngestProtocol: UInt64] = [:]
        var ingestedBytes: [IngestProtocol: UInt64] = [:]
        /// Log lines by why they were refused.
        var refusedLines: [LogAdmission.Reason: UInt64] = [:]
        var cutLines: UInt64 = 0
        var queryDurations: [String: DurationHistogram] = [:]
        var queryFailures: [String: UInt64] = [:]
        var reloads: (successful: UInt64, failed: UInt64) = (0, 0)
        var isLastReloadSuccessful = true
        /// When the configuration was last taken, in nanoseconds since the Unix epoch; nil: at the start.
        var lastReload: Int64?
    }

    private let state = Mutex(State())

    package init() {}

    var snapshot: State { state.withLock { $0 } }

    func answered(route: String, status: Int, after duration: Duration) {
        state.withLock { state in
            state.requests[RouteStatus(route: route, status: status), default: 0] &+= 1
            state.requestDurations[route, default: DurationHistogram()].observe(duration)
        }
    }

    /// Counts one request of telemetry.
    func ingested(by ingest: IngestProtocol, byteCount: Int, rows: [(Signal, Int)], rejected: Int, outcome: Outcome) {
        state.withLock { state in
            state.ingests[ProtocolOutcome(ingest: ingest, outcome: outcome), default: 0] &+= 1
            state.ingestedBytes[ingest, default: 0] &+= UInt64(clamping: byteCount)
            if rejected > 0 { state.rejectedRows[ingest, default: 0] &+= UInt64(clamping: rejected) }
            for (signal, count) in rows where count > 0 {
                state.ingestedRows[ProtocolSignal(ingest: ingest, signal: signal), default: 0] &+= UInt64(clamping: count)
            }
        }
    }

    /// Counts log lines that were refused, and those that were cut.
    func refused(lines: [LogAdmission.Reason: Int], cut: Int) {
        state.withLock { state in
            for (reason, count) in lines { state.refusedLines[reason, default: 0] &+= UInt64(clamping: count) }
            state.cutLines &+= UInt64(clamping: cut)
        }
    }

    func queried(language: String, after duration: Duration, isFailure: Bool) {
        state.withLock { state in
            state.queryDurations[language, default: DurationHistogram()].observe(duration)
            if isFailure { state.queryFailures[language, default: 0] &+= 1 }
        }
    }

    /// How the last reload went, and when the configuration was last taken; nil where there was none.
    var lastReload: (isSuccessful: Bool, time: Int64)? {
        state.withLock { state in state.lastReload.map { (state.isLastReloadSuccessful, $0) } }
    }

    func reloaded(isSuccessful: Bool, at time: Int64) {
        state.withLock { state in
            if isSuccessful { state.lastReload = time }
            if isSuccessful { state.reloads.successful &+= 1 } else { state.reloads.failed &+= 1 }
            state.isLastReloadSuccessful = isSuccessful
        }
    }
}

/// The protocols by which telemetry comes in.
package enum IngestProtocol: String, Sendable, Hashable, CaseIterable {
    case otlpHTTP = "otlp_http"
    case otlpGRPC = "otlp_grpc"
    case remoteWrite = "remote_write"
    case loki
    case jaeger
    case zipkin
    case pyroscope
    case elasticsearch
    case jsonLines = "json_lines"
}
