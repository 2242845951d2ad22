import Codecs
import Collectors
import Formats
import Telemetry

/// The way of telemetry from any protocol into the store, counted.
struct Ingest: Sendable {
    let store: any TelemetryStore
    let metrics: ServerMetrics
    /// Takes out of log lines what must not be stored.
    var redactor: Redactor?
    /// The instants of log lines that are taken now, in nanoseconds.
    var logRange: @Sendable () -> TimeRange = { .all }

    /// Runs one request of telemetry: `decode` turns its bytes into a batch, which is then stored.
    ///
    /// - Parameter byteCount: the size of the body as it came.
    /// - Returns: how many rows `decode` refused, and why.
    /// - Throws: ``APIError``; then nothing is stored.
    func store(
        from ingest: IngestProtocol, byteCount: Int, _ decode: () throws -> OTLP.Decoded
    ) async throws(APIError) -> (rejected: Int, message: String) {
        var decoded: OTLP.Decoded
        do {
            decoded = try decode()
            if !decoded.batch.logs.streams.isEmpty { admit(&decoded) }
        } catch {
            metrics.ingested(by: ingest, byteCount: byteCount, rows: [], rejected: 0, outcome: .invalid)
            throw APIError(error)
        }
        if let redactor, !decoded.batch.logs.streams.isEmpty { decoded.batch.logs = redactor.redact(decoded.batch.logs) }
        let rows = Self.rowCounts(decoded.batch)
        do {
            if !decoded.batch.isEmpty { try await store.append(decoded.batch) }
        } catch {
            let failure = APIError(error)
            let outcome: ServerMetrics.Outcome = failure.kind == .badRequest ? .invalid : .failed
            metrics.ingested(by: ingest, byteCount: byteCount, rows: [], rejected: 0, outcome: outcome)
            throw failure
        }
        metrics.ingested(
            by: ingest, byteCount: byteCount, rows: rows, rejected: decoded.rejected, outcome: decoded.rejected > 0 ? .partial : .stored)
        return (decoded.rejected, decoded.rejectionMessage)
    }

    /// The same for protocols without partial success.
    func store(from ingest: IngestProtocol, byteCount: Int, batch decode: () throws -> TelemetryBatch) async throws(APIError) {
        _ = try await store(from: ingest, byteCount: byteCount) {
            OTLP.Decoded(batch: try decode(), rejected: 0, rejectionMessage: "")
        }
    }

    /// Leaves out the lines that no store takes, so that the others are stored.
    private func admit(_ decoded: inout OTLP.Decoded) {
        var admission = LogAdmission(range: logRange())
        admission.admit(&decoded.batch.logs)
        guard admission.refusedCount > 0 || admission.cutCount > 0 else { return }
        metrics.refused(lines: admission.refused, cut: admission.cutCount)
        guard admission.refusedCount > 0 else { return }
        decoded.rejected += admission.refusedCount
        decoded.rejectionMessage = [decoded.rejectionMessage, admission.message].filter { !$0.isEmpty }.joined(separator: "; ")
    }

    private static func rowCounts(_ batch: TelemetryBatch) -> [(Signal, Int)] {
        [
            (.metrics, batch.metrics.sampleCount + batch.metrics.histograms.count), (.logs, batch.logs.entryCount),
            (.spans, batch.spans.spanCount), (.profiles, batch.profiles.streams.reduce(0) { $0 + $1.profiles.count }),
        ]
    }
}
