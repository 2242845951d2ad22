import Codecs
import Formats
import Query
import Telemetry

/// `read`: what other Prometheus servers and their tools read from a remote store, as plain samples or, where they prefer that, as chunks.
struct RemoteReadRoutes {
    let reader: SeriesReader
    let runner: QueryRunner

    var routes: [Route] {
        [.post("/api/v1/read", scope: .query, errors: .text) { try await read($0) }]
    }

    private func read(_ call: Call) async throws -> Answer {
        let bytes = try call.decodedBody(assumed: .snappy)
        let request = try RemoteRead.decodeRequest(bytes.span)
        let queries = request.queries
        let reader = reader
        let results = try await runner.run("remote_read", "", for: call) { context throws(QueryError) in
            var results: [MetricBatch] = []
            for query in queries { results.append(try await reader.batch(query.matchers, in: query.range, context: context)) }
            return results
        }
        // Chunks of native histograms are not written: where there are any, samples carry them.
        let hasHistograms = results.contains { !$0.histograms.isEmpty }
        if request.responseTypes.first == .streamedChunks, !hasHistograms || !request.responseTypes.contains(.samples) {
            var answer = Answer(
                contentType: "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse", body: RemoteRead.encodeChunks(results))
            answer.mayCompress = false
            return answer
        }
        let body = RemoteRead.encode(results)
        var answer = Answer(
            contentType: "application/x-protobuf", headers: [("Content-Encoding", "snappy")],
            body: Compression.snappy.compress(body.span))
        answer.mayCompress = false
        return answer
    }
}
