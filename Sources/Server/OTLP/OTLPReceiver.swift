import Codecs
import Formats
import Telemetry

/// Takes the three export requests of OTLP, over HTTP or gRPC.
struct OTLPReceiver: Sendable {
    let ingest: Ingest
    /// The running totals of what comes as deltas; one for the whole server.
    let deltas: DeltaAccumulator
    /// How metrics are translated: a reload may change it.
    let options: @Sendable () -> OTLPMetricOptions

    /// Stores one export request and returns the response's message.
    func export(
        _ signal: Signal, encoding: OTLP.Encoding, over transport: IngestProtocol, byteCount: Int, body: () throws -> [UInt8]
    ) async throws(APIError) -> [UInt8] {
        let result = try await ingest.store(from: transport, byteCount: byteCount) {
            let bytes = try body()
            return try decode(signal, bytes, encoding)
        }
        return OTLP.encodeResponse(signal: signal, rejected: result.rejected, message: result.message, encoding: encoding)
    }

    private func decode(_ signal: Signal, _ bytes: [UInt8], _ encoding: OTLP.Encoding) throws(FormatError) -> OTLP.Decoded {
        switch signal {
        case .metrics:
            var options = options()
            options.deltas = deltas
            return try OTLP.decodeMetrics(bytes.span, encoding: encoding, options: options)
        case .logs: return try OTLP.decodeLogs(bytes.span, encoding: encoding)
        case .spans, .profiles: return try OTLP.decodeTraces(bytes.span, encoding: encoding)
        }
    }
}
