import Codecs
import Formats
import Telemetry

/// The receiver of Prometheus' remote write, 1.0 and 2.0.
struct RemoteWriteRoutes {
    let ingest: Ingest
    /// What 2.0 senders said of metric families already.
    let metadata = RemoteWriteMetadataCache()

    var routes: [Route] {
        [
            .post("/api/v1/write", scope: .ingest, errors: .text) { call in
                switch try Self.message(call) {
                case .v1: try await write(call)
                case .v2: await writeV2(call)
                }
            }
        ]
    }

    private enum Message {
        case v1, v2
    }

    /// The message that the media type names (Remote-Write 2.0, "Protobuf Message"): a sender that gets 415 falls back to the other.
    private static func message(_ call: Call) throws(APIError) -> Message {
        let field = call.headers["content-type"] ?? ""
        guard ["application/x-protobuf", ""].contains(call.mediaType) else {
            throw APIError(.unsupportedEncoding, "unsupported Content-Type \"\(field)\": send application/x-protobuf")
        }
        for parameter in field.split(separator: ";").dropFirst() {
            let parts = parameter.split(separator: "=", maxSplits: 1).map(\.trimmed)
            guard parts.count == 2, parts[0].lowercased() == "proto" else { continue }
            switch parts[1].filter({ $0 != "\"" }) {
            case "prometheus.WriteRequest": return .v1
            case RemoteWrite2.messageName: return .v2
            case let other:
                throw APIError(
                    .unsupportedEncoding, "unsupported message \"\(other)\": send prometheus.WriteRequest or \(RemoteWrite2.messageName)")
            }
        }
        return .v1
    }

    private func write(_ call: Call) async throws -> Answer {
        try await ingest.store(from: .remoteWrite, byteCount: call.body.count, batch: {
            let bytes = try call.decodedBody(assumed: .snappy)
            return try RemoteWrite.decode(bytes.span, directory: ingest.store.seriesDirectory)
        })
        return .empty(status: 204)
    }

    /// Stores what is good of a request, and says how much that was, however it ended ("Required Written Response Headers").
    private func writeV2(_ call: Call) async -> Answer {
        var request = RemoteWrite2.Decoded()
        var answer: Answer
        var written = WrittenCounts()
        do throws(APIError) {
            _ = try await ingest.store(from: .remoteWrite, byteCount: call.body.count) {
                let bytes = try call.decodedBody(assumed: .snappy)
                request = try RemoteWrite2.decode(bytes.span, directory: ingest.store.seriesDirectory, metadata: metadata)
                var batch = TelemetryBatch()
                batch.metrics = request.batch
                return OTLP.Decoded(batch: batch, rejected: request.rejected, rejectionMessage: request.complaint)
            }
            written = WrittenCounts(request.batch, in: .all)
            metadata.enter(request.metadataKeys)
            answer = .empty(status: 204)
            if !request.complaint.isEmpty {
                answer = ErrorShape.text.answer(APIError(.badRequest, "partial write: \(request.complaint)"), to: call)
            }
        } catch {
            // Rows beyond retention make it a bad request whose other rows are stored.
            if error.kind == .badRequest { written = WrittenCounts(request.batch, in: ingest.store.acceptedRange(.metrics)) }
            let complaint = request.complaint.isEmpty ? error.message : "\(error.message); \(request.complaint)"
            answer = ErrorShape.text.answer(APIError(error.kind, complaint), to: call)
        }
        answer.headers += written.headers
        return answer
    }
}

/// How much of a request was stored.
private struct WrittenCounts {
    var samples = 0
    var histograms = 0
    var exemplars = 0

    init() {}

    init(_ batch: MetricBatch, in range: TimeRange) {
        samples = batch.timestamps.count { range.contains($0) }
        histograms = batch.histograms.count { range.contains($0.timestamp) }
        exemplars = batch.exemplars.count { range.contains($0.exemplar.timestamp) }
    }

    var headers: [(name: String, value: String)] {
        [("Samples", samples), ("Histograms", histograms), ("Exemplars", exemplars)].map { kind, count in
            ("X-Prometheus-Remote-Write-\(kind)-Written", String(count))
        }
    }
}
