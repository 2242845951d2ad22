import Codecs
import Formats
import Query
import Telemetry

/// `read`: what other Prometheus servers and their tools read from a remote store, as plain samples.
struct RemoteReadRoutes {
    let reader: SeriesReader
    let runner: QueryRunner

    var routes: [Route] {
        [.post("/api/v1/read", scope: .query, errors: .text) { try await read($0) }]
    }

    private func read(_ call: Call) async throws -> Answer {
        let bytes = try call.decodedBody(assumed: .snappy)
        let queries = try RemoteRead.decode(bytes.span)
        let reader = reader
        let results = try await runner.run("remote_read", "", for: call) { context throws(QueryError) in
            var results: [MetricBatch] = []
            for query in queries { results.append(try await reader.batch(query.matchers, in: query.range, context: context)) }
            return results
        }
        let body = RemoteRead.encode(results)
        var answer = Answer(
            contentType: "application/x-protobuf", headers: [("Content-Encoding", "snappy")],
            body: Compression.snappy.compress(body.span))
        answer.mayCompress = false
        return answer
    }
}
