import Codecs
import Formats
import Telemetry

/// JSON lines (VictoriaLogs, "JSON stream API"): `/insert/jsonline?_stream_fields=…&_time_field=…&_msg_field=…`.
struct JSONLinesRoutes {
    let ingest: Ingest

    var routes: [Route] {
        [
            .post("/insert/jsonline", scope: .ingest, errors: .loki) { try await insert($0) },
            .post("/insert/loki/api/v1/push", scope: .ingest, errors: .loki) { try await LokiPushRoutes(ingest: ingest).push($0) },
        ]
    }

    private func insert(_ call: Call) async throws -> Answer {
        let options = Self.options(call)
        let isDryRun = ["1", "true"].contains(call.query["debug"] ?? "")
        if isDryRun {
            let body = try call.decodedBody()
            let decoded = JSONLines.decode(body.span, options: options)
            return Self.answer(decoded.batch.logs.entryCount, decoded.rejected, decoded.rejectionMessage, isDryRun: true)
        }
        var count = 0
        let result = try await ingest.store(from: .jsonLines, byteCount: call.body.count) {
            let body = try call.decodedBody()
            let decoded = JSONLines.decode(body.span, options: options)
            count = decoded.batch.logs.entryCount + decoded.rejected
            return decoded
        }
        return Self.answer(count - result.rejected, result.rejected, result.message, isDryRun: false)
    }

    /// The parameters, or the headers of the same meaning.
    private static func options(_ call: Call) -> JSONLines.Options {
        func names(_ parameter: String, _ header: String) -> [String] {
            (call.query.nonEmpty(parameter) ?? call.headers[header] ?? "").split(separator: ",").map { $0.trimmed }.filter { !$0.isEmpty }
        }
        var options = JSONLines.Options()
        let time = names("_time_field", "vl-time-field")
        if !time.isEmpty { options.timeFields = time }
        let message = names("_msg_field", "vl-msg-field")
        if !message.isEmpty { options.messageFields = message }
        options.streamFields = Set(names("_stream_fields", "vl-stream-fields"))
        options.ignoredFields = Set(names("ignore_fields", "vl-ignore-fields"))
        for extra in names("extra_fields", "vl-extra-fields") {
            guard let equal = extra.firstIndex(of: "=") else { continue }
            options.extraLabels.append(Label(String(extra[..<equal]), String(extra[extra.index(after: equal)...])))
        }
        return options
    }

    /// 200 where anything was taken, else 400.
    private static func answer(_ stored: Int, _ rejected: Int, _ message: String, isDryRun: Bool) -> Answer {
        var json = JSONWriter()
        json.beginObject()
        json.field(isDryRun ? "readable" : "stored", stored)
        json.field("refused", rejected)
        if !message.isEmpty { json.field("error", message) }
        json.endObject()
        return .json(json.bytes, status: rejected > 0 && stored == 0 ? 400 : 200)
    }
}
