import Codecs
import Formats
import Telemetry

/// Loki's push endpoint: JSON, or protobuf in a snappy block, and the path of its first versions.
struct LokiPushRoutes {
    let ingest: Ingest

    var routes: [Route] {
        ["/loki/api/v1/push", "/api/prom/push"].map { path in
            .post(path, scope: .ingest, errors: .loki) { try await push($0) }
        }
    }

    func push(_ call: Call) async throws -> Answer {
        let isJSON: Bool
        switch call.mediaType {
        case "application/json": isJSON = true
        // What sends no type, sends protobuf, as Promtail does with one.
        case "application/x-protobuf", "application/protobuf", "": isJSON = false
        case let other:
            throw APIError(.unsupportedEncoding, "unsupported Content-Type \"\(other)\": send application/json or application/x-protobuf")
        }
        let result = try await ingest.store(from: .loki, byteCount: call.body.count) {
            var batch = TelemetryBatch()
            if isJSON {
                let bytes = try call.decodedBody()
                batch.logs = try LokiPush.decodeJSON(bytes.span)
            } else {
                let bytes = try call.decodedBody(assumed: .snappy)
                batch.logs = try LokiPush.decodeProtobuf(bytes.span)
            }
            for index in batch.logs.streams.indices {
                batch.logs.streams[index].labels = ServiceName.discover(batch.logs.streams[index].labels)
            }
            return OTLP.Decoded(batch: batch, rejected: 0, rejectionMessage: "")
        }
        // As in Loki the other lines are stored all the same.
        if result.rejected > 0 { throw APIError(.badRequest, result.message) }
        return .empty(status: 204)
    }
}
