import Formats
import Telemetry

/// Zipkin's collector endpoint for version 2 spans in JSON.
struct ZipkinRoutes {
    let ingest: Ingest

    var routes: [Route] {
        [.post("/api/v2/spans", scope: .ingest, errors: .text) { try await receive($0) }]
    }

    private func receive(_ call: Call) async throws -> Answer {
        guard ["application/json", ""].contains(call.mediaType) else {
            throw APIError(.unsupportedEncoding, "unsupported Content-Type \"\(call.mediaType)\": send application/json")
        }
        try await ingest.store(from: .zipkin, byteCount: call.body.count, batch: {
            let bytes = try call.decodedBody()
            var batch = TelemetryBatch()
            batch.spans = try Zipkin.decodeJSON(bytes.span)
            return batch
        })
        return .empty(status: 202)
    }
}
