import Codecs
import LogQL
import Query
import ServiceLifecycle
import Telemetry

/// New lines as they are stored, as an endless body of JSON lines: for `curl` and for `apus query logql --tail`, where a WebSocket is too much.
struct LogTailRoutes {
    let live: LiveLogs

    var routes: [Route] {
        [.form("/api/apus/logs/tail", scope: .query, errors: .apus) { try tail($0) }]
    }

    private func tail(_ call: Call) throws -> Answer {
        let query = try TailQuery(try call.form()["query"] ?? "")
        let mailbox = LogMailbox { [matchers = query.matchers] labels in matchers.holds(labels) }
        let subscription = live.subscribe(mailbox)
        return .stream(contentType: "application/x-ndjson") {
            // It listens as long as the body is being made.
            defer { withExtendedLifetime(subscription) {} }
            return try await call.connection.whileOpen(onClose: { mailbox.end() }) {
                try await withGracefulShutdownHandler {
                    try await Self.next(query, mailbox)
                } onGracefulShutdown: {
                    mailbox.end()
                }
            }
        }
    }

    /// The lines of the next batches that have some; nil when nothing more will come.
    private static func next(_ query: TailQuery, _ mailbox: LogMailbox) async throws -> [UInt8]? {
        for await _ in mailbox.wakes {
            let (batches, dropped) = mailbox.take()
            var piece: [UInt8] = []
            for line in batches.flatMap({ query.take($0) }).sorted(by: { $0.entry.timestamp < $1.entry.timestamp }) {
                var json = JSONWriter(escapesHTML: false)
                LogPageRoutes.write(line, &json)
                piece += json.bytes
                piece.append(UInt8(ascii: "\n"))
            }
            if !dropped.isEmpty {
                var json = JSONWriter()
                json.beginObject()
                json.field("dropped", dropped.count)
                json.endObject()
                piece += json.bytes
                piece.append(UInt8(ascii: "\n"))
            }
            if !piece.isEmpty { return piece }
        }
        return nil
    }
}
