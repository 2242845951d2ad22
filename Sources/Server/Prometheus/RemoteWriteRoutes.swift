import Codecs
import Formats
import Telemetry

/// The receiver of Prometheus' remote write 1.0.
struct RemoteWriteRoutes {
    let ingest: Ingest

    var routes: [Route] {
        [.post("/api/v1/write", scope: .ingest, errors: .text) { try await write($0) }]
    }

    private func write(_ call: Call) async throws -> Answer {
        let type = (call.headers["content-type"] ?? "").lowercased()
        // 2.0 names its message in the media type; a sender that gets 415 falls back to 1.0 (Remote-Write 2.0, "Version negotiation").
        guard !type.contains("io.prometheus.write.v2") else {
            throw APIError(.unsupportedEncoding, "remote write 2.0 is not supported: send 1.0 (prometheus.WriteRequest)")
        }
        guard ["application/x-protobuf", ""].contains(call.mediaType) else {
            throw APIError(.unsupportedEncoding, "unsupported Content-Type \"\(type)\": send application/x-protobuf")
        }
        try await ingest.store(from: .remoteWrite, byteCount: call.body.count, batch: {
            let bytes = try call.decodedBody(assumed: .snappy)
            return try RemoteWrite.decode(bytes.span, directory: ingest.store.seriesDirectory)
        })
        return .empty(status: 204)
    }
}
