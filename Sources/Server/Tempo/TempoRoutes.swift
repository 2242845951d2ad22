import Codecs
import Formats
import Query
import Telemetry
import TraceQL

/// Traces by id and by search (Tempo, HTTP API).
struct TempoRoutes {
    let engine: TraceQLEngine
    let runner: QueryRunner
    let time: TimeSource

    var routes: [Route] {
        [
            .get("/api/traces/{id}", scope: .query, errors: .text) { try await trace($0) }.on(.query),
            .get("/api/v2/traces/{id}", scope: .query, errors: .text) { try await trace($0, isVersion2: true) }.on(.query),
            .form("/api/search", scope: .query, errors: .text) { try await search($0) }.on(.query),
            .get("/api/echo", scope: .query, errors: .text) { _ in .text("echo") },
            .get("/api/status/buildinfo", scope: .query, errors: .text) { _ in Self.buildInformation() },
        ]
    }

    private func trace(_ call: Call, isVersion2: Bool = false) async throws -> Answer {
        let text = call.captures.first ?? ""
        guard let id = TraceID(hex: text), !id.isNone else {
            throw APIError(.badRequest, "trace IDs can only contain up to 32 hex characters: \"\(text.prefix(64))\"")
        }
        let range = try TempoParameters(call, now: time.nanoseconds).range()
        let engine = engine
        let groups = try await runner.run("traceql", text, for: call) { context throws(QueryError) in
            try await engine.trace(id, in: range, context: context)
        }
        guard !groups.isEmpty else { throw APIError(.notFound, "trace not found") }
        if Self.wantsProtobuf(call) {
            let trace = OTLP.encodeTrace(groups, encoding: .protobuf)
            return Answer(contentType: "application/protobuf", body: isVersion2 ? Self.wrapped(trace) : trace)
        }
        let trace = OTLP.encodeTrace(groups, encoding: .json)
        guard isVersion2 else { return .json(trace) }
        // The second version has the trace in an envelope, under the names of OTLP itself.
        return .json(Array("{\"trace\":".utf8) + OTLPTraceJSON.withResourceSpans(trace) + Array("}".utf8))
    }

    private static func wantsProtobuf(_ call: Call) -> Bool {
        (call.headers["accept"] ?? "").split(separator: ",").contains { $0.trimmed.lowercased().hasPrefix("application/protobuf") }
    }

    /// `TraceByIDResponse {1: trace}` (tempopb).
    private static func wrapped(_ trace: [UInt8]) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.bytes(1, trace)
        return writer.bytes
    }

    private func search(_ call: Call) async throws -> Answer {
        let parameters = try TempoParameters(call, now: time.nanoseconds)
        let query = try parameters.query()
        // Without a range the last hour is searched, as Tempo searches what its ingesters still hold.
        let range = try parameters.closedRange()
        let limit = try parameters.count("limit", default: 20, max: 10_000)
        let spansPerSpanSet = try parameters.count("spss", default: 3, max: 1_000)
        let engine = engine
        let (traces, spansRead) = try await runner.run("traceql", query, for: call) { context throws(QueryError) in
            let traces = try await engine.search(query, in: range, limit: limit, spansPerSpanSet: spansPerSpanSet, context: context)
            return (traces, context.samplesRead)
        }
        return .json(TempoJSON.search(traces, spansRead: spansRead))
    }

    private static func buildInformation() -> Answer {
        var json = JSONWriter()
        json.beginObject()
        json.field("version", "2.6.0")
        json.field("revision", "apus-\(Version.number)")
        json.field("branch", "main")
        json.field("buildUser", "")
        json.field("buildDate", "")
        json.field("goVersion", "")
        json.endObject()
        return .json(json.bytes)
    }
}
