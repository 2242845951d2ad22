import Codecs
import Formats
import LogQL
import Query
import Telemetry

/// Lines page by page behind a cursor, and all of them as a stream: no number of lines is a wall.
struct LogPageRoutes {
    let engine: LogQLEngine
    let runner: QueryRunner
    let time: TimeSource

    /// Lines that an export holds in memory at once.
    private static let exportPageLineCount = 5_000

    var routes: [Route] {
        [
            .form("/api/apus/logs", scope: .query, errors: .apus) { try await page($0) },
            .form("/api/apus/logs/export", scope: .query, errors: .apus) { try export($0) },
        ]
    }

    private struct Request: Sendable {
        var query: String
        var selector: LogSelector
        var range: TimeRange
        var direction: LogQLDirection
    }

    private func request(_ parameters: LokiParameters, defaultIsForward: Bool) throws -> Request {
        let (from, to) = try parameters.range()
        let query = parameters.form["query"] ?? ""
        guard case .logs(let selector) = try LogQLParser.parse(query) else {
            throw APIError(.badRequest, "only queries for lines come in pages: ask /loki/api/v1/query_range for numbers")
        }
        let isForward = parameters.form.nonEmpty("direction") == nil ? defaultIsForward : try parameters.isForward
        return Request(
            query: query, selector: selector, range: TimeRange(from, max(from, to - 1)), direction: isForward ? .forward : .backward)
    }

    private func page(_ call: Call) async throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let request = try request(parameters, defaultIsForward: false)
        let limit = try parameters.limit(default: 1_000)
        let cursor = try LogCursorText.parse(parameters.form["cursor"] ?? "")
        let page = try await read(request, after: cursor, limit: limit, for: call)
        var json = JSONWriter()
        json.beginObject()
        json.key("lines")
        json.array { json in for line in page.lines { Self.write(line, &json) } }
        json.key("cursor")
        if let next = page.next { json.string(LogCursorText.text(next)) } else { json.null() }
        json.key("stats")
        json.beginObject()
        json.field("linesProcessed", page.statistics.linesProcessed)
        json.field("bytesProcessed", page.statistics.bytesProcessed)
        json.endObject()
        json.endObject()
        return .json(json.bytes)
    }

    private func export(_ call: Call) throws -> Answer {
        let parameters = try LokiParameters(call, now: time.nanoseconds)
        let request = try request(parameters, defaultIsForward: true)
        let limit = try parameters.integer("limit") ?? .max
        guard limit > 0 else { throw APIError(.badRequest, "limit must be a positive value") }
        let isText: Bool
        switch parameters.form.nonEmpty("format") {
        case nil, "ndjson": isText = false
        case "text": isText = true
        case let other?: throw APIError(.badRequest, "invalid format \"\(other)\": ndjson or text")
        }
        let progress = Shared(Progress(left: limit))
        return .stream(contentType: isText ? "text/plain; charset=utf-8" : "application/x-ndjson") {
            let now = progress.value
            guard let left = now.left else { return nil }
            let page = try await read(request, after: now.cursor, limit: min(left, Self.exportPageLineCount), for: call)
            let isLast = page.next == nil || left <= page.lines.count
            progress.value = Progress(cursor: page.next, left: isLast ? nil : left - page.lines.count)
            return page.lines.isEmpty ? nil : Self.piece(page, isText: isText)
        }
    }

    /// How far an export has come.
    private struct Progress: Sendable {
        var cursor: LogQLCursor?
        /// Lines that may still come; nil: it is done.
        var left: Int?
    }

    private static func piece(_ page: LogQLPage, isText: Bool) -> [UInt8] {
        var piece: [UInt8] = []
        for line in page.lines {
            if isText {
                piece += Array(line.entry.line.utf8)
            } else {
                var json = JSONWriter(escapesHTML: false)
                write(line, &json)
                piece += json.bytes
            }
            piece.append(UInt8(ascii: "\n"))
        }
        return piece
    }

    private func read(_ request: Request, after cursor: LogQLCursor?, limit: Int, for call: Call) async throws -> LogQLPage {
        let engine = engine
        return try await runner.run("logql", request.query, for: call) { context throws(QueryError) in
            try await engine.page(
                request.selector, in: request.range, after: cursor, limit: limit, direction: request.direction, context: context)
        }
    }

    /// One line: `{"timestamp","time","labels","line"}`; the timestamp is nanoseconds in a string.
    static func write(_ line: (labels: Labels, entry: LogQLEntry), _ json: inout JSONWriter) {
        json.beginObject()
        json.field("timestamp", String(line.entry.timestamp))
        json.field("time", RFC3339.text(nanoseconds: line.entry.timestamp))
        json.key("labels")
        json.labels(line.labels)
        json.field("line", line.entry.line)
        json.endObject()
    }
}
