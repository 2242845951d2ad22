import Formats
import Telemetry

/// Jaeger's collector endpoint for spans in Thrift's binary protocol, as its HTTP clients send them.
struct JaegerRoutes {
    let ingest: Ingest

    var routes: [Route] {
        [.post("/api/traces", scope: .ingest, errors: .text) { try await receive($0) }]
    }

    private func receive(_ call: Call) async throws -> Answer {
        guard ["application/x-thrift", "application/vnd.apache.thrift.binary"].contains(call.mediaType) else {
            throw APIError(.unsupportedEncoding, "unsupported Content-Type \"\(call.mediaType)\": send application/vnd.apache.thrift.binary")
        }
        try await ingest.store(from: .jaeger, byteCount: call.body.count, batch: {
            let bytes = try call.decodedBody()
            var batch = TelemetryBatch()
            batch.spans = try JaegerThrift.decodeBatch(bytes.span)
            return batch
        })
        return .empty(status: 202)
    }
}
