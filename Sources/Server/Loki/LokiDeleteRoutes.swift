import Codecs
import Formats
import LogQL
import Query
import Telemetry

/// Deletions (Loki, HTTP API, "Compactor"): carried out at once, so a request is always processed. Off unless the server was told otherwise.
struct LokiDeleteRoutes {
    let engine: LogQLEngine
    let runner: QueryRunner
    let store: any TelemetryStore
    let state: any StateStore
    let time: TimeSource
    let isEnabled: Bool

    private static let namespace = "loki.deletes"
    /// Requests that are remembered.
    private static let requestCountMax = 1_000

    var routes: [Route] {
        let path = "/loki/api/v1/delete"
        return [
            Route([.post, .put], path, scope: .admin, errors: .loki) { try await add($0) },
            Route([.get], path, scope: .admin, errors: .loki) { _ in try list() },
            Route([.delete], path, scope: .admin, errors: .loki) { try cancel($0) },
        ]
    }

    private func add(_ call: Call) async throws -> Answer {
        guard isEnabled else { throw APIError(.badRequest, "deletion is not enabled: start the server with --enable-admin-api") }
        let form = try call.form()
        guard let query = form.nonEmpty("query") else { throw APIError(.badRequest, "query not set") }
        guard case .logs(let selector) = try LogQLParser.parse(query) else {
            throw APIError(.badRequest, "only log selectors can be deleted, not metric queries")
        }
        guard selector.stages.allSatisfy({ if case .lineFilter = $0 { true } else { false } }) else {
            throw APIError(.badRequest, "lines are deleted by what they hold: the query must be a stream selector with line filters alone")
        }
        guard let startText = form.nonEmpty("start") else { throw APIError(.badRequest, "start time not set") }
        let start = try instant(startText, "start")
        let end = try form.nonEmpty("end").map { text throws(APIError) in try instant(text, "end") } ?? time.nanoseconds
        guard end <= time.nanoseconds else { throw APIError(.badRequest, "deletes in the future are not allowed") }
        guard start < end else { throw APIError(.badRequest, "start time can't be greater than or equal to end time") }
        let range = TimeRange(start, end)
        if selector.stages.isEmpty {
            try await store.delete(.logs, matching: selector.matchers, in: range)
        } else {
            let engine = engine
            let deletions = try await runner.run("logql", query, for: call) { context throws(QueryError) in
                try await engine.deletions(of: selector, in: range, context: context)
            }
            for deletion in deletions { try await store.delete(.logs, matching: deletion.matchers, in: deletion.range) }
        }
        let id = try remember(query, start, end)
        var answer = Answer.empty(status: 204)
        answer.headers.append(("X-Delete-Request-ID", id))
        return answer
    }

    /// Unix seconds or RFC 3339.
    private func instant(_ text: String, _ name: String) throws(APIError) -> Int64 {
        if let time = RFC3339.nanoseconds(text.utf8) { return time }
        if let seconds = Int64(text), text.utf8.count == 10 { return seconds * 1_000_000_000 }
        throw APIError(.badRequest, "invalid \(name) time: require unix seconds or RFC3339 format")
    }

    private func remember(_ query: String, _ start: Int64, _ end: Int64) throws -> String {
        let now = time.nanoseconds
        let id = String(UInt64(bitPattern: now) ^ UInt64.random(in: 0...0xffff), radix: 16)
        var json = JSONWriter()
        json.beginObject()
        json.field("request_id", id)
        json.field("start_time", Double(start) / 1e9)
        json.field("end_time", Double(end) / 1e9)
        json.field("query", query)
        json.field("status", "processed")
        json.field("created_at", Double(now / 1_000_000) / 1e3)
        json.endObject()
        // Keys sort by time, so that the oldest can go.
        let digits = String(now)
        let key = String(repeating: "0", count: max(0, 20 - digits.count)) + digits
        var changes: [String: [UInt8]?] = [key: json.bytes]
        let known = try state.values(in: Self.namespace).keys.sorted()
        for old in known.prefix(max(0, known.count + 1 - Self.requestCountMax)) { changes.updateValue(nil, forKey: old) }
        try state.set(changes, in: Self.namespace)
        return id
    }

    private func list() throws -> Answer {
        let known = try state.values(in: Self.namespace).sorted { $0.key < $1.key }
        var json = JSONWriter()
        json.beginArray()
        for (_, request) in known { json.raw(request) }
        json.endArray()
        return .json(json.bytes)
    }

    private func cancel(_ call: Call) throws -> Answer {
        let id = try call.form().nonEmpty("request_id") ?? ""
        let isKnown = try state.values(in: Self.namespace).values.contains { bytes in
            (try? JSONValue(parsing: bytes.span))?["request_id"]?.string == id
        }
        guard isKnown else { throw APIError(.notFound, "could not find delete request with given id") }
        throw APIError(.badRequest, "deletion of request which is in process or already processed is not allowed")
    }
}
