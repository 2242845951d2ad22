import Codecs
package import Telemetry

/// Elasticsearch's `_bulk` (Elasticsearch reference, "Bulk API"), for what agents send with it: `create` and `index` actions, each followed
/// by a document. `@timestamp` is the time and `message` the line; the stream's labels are the index and what names the service, everything
/// else is structured metadata.
package enum ElasticsearchBulk {
    /// What became of one action.
    package struct Item: Sendable, Hashable {
        package var action: String
        package var index: String
        /// nil: stored.
        package var error: String?
    }

    private static let timeFields = ["@timestamp", "timestamp", "time"]
    private static let messageFields = ["message", "msg", "log", "event.original"]
    /// Fields that say who sent a line, in the names of the Elastic Common Schema and of Filebeat, Vector and Fluent Bit.
    private static let streamFields: Set<String> = [
        "service.name", "service", "host.name", "kubernetes.namespace", "kubernetes.pod.name", "kubernetes.container.name", "container.name",
        "log.file.path", "kubernetes.namespace_name", "kubernetes.pod_name", "kubernetes.container_name", "app", "job",
    ]

    /// Decodes a body.
    ///
    /// - Parameter index: the index of actions that name none: that of the path.
    /// - Throws: ``FormatError`` where a line is no action, so that nothing behind it can be told apart.
    package static func decode(
        _ bytes: Span<UInt8>, index: String?, time: TimeSource = .system
    ) throws(FormatError) -> (batch: LogBatch, items: [Item]) {
        let record = JSONLogRecord(timeFields: timeFields, messageFields: messageFields, streamFields: streamFields)
        var grouper = LogGrouper()
        var items: [Item] = []
        let now = time.nanoseconds
        let lines = NDJSON.lines(bytes)
        var position = 0
        while position < lines.count {
            let (number, range) = lines[position]
            let (action, named) = try action(bytes.extracting(range), number)
            position += 1
            var item = Item(action: action, index: named ?? index ?? "logs", error: nil)
            if action != "delete" {
                guard position < lines.count else { throw error(number, "the action \"\(action)\" has no document behind it") }
                let document = lines[position].range
                position += 1
                if action == "update" {
                    item.error = "log lines cannot be updated: send create or index"
                } else {
                    do throws(DecodeError) {
                        guard case .object(let object) = try JSONValue(parsing: bytes.extracting(document)) else {
                            throw DecodeError(offset: 0, field: "", "the document is no JSON object")
                        }
                        let (stream, entry) = try record.entry(object, text: bytes.text(document), now: now)
                        grouper.add(entry, to: Labels([Label("index", item.index)] + stream))
                    } catch {
                        item.error = FormatError("document", error).description
                    }
                }
            } else {
                item.error = "log lines cannot be deleted by id"
            }
            items.append(item)
        }
        return (grouper.batch, items)
    }

    private static func action(_ bytes: Span<UInt8>, _ line: Int) throws(FormatError) -> (name: String, index: String?) {
        let value: JSONValue
        do throws(DecodeError) {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw self.error(line, error.message)
        }
        guard case .object(let object) = value, object.members.count == 1, let member = object.members.first,
            ["create", "index", "update", "delete"].contains(member.name)
        else { throw error(line, "expected an action: create, index, update or delete") }
        return (member.name, member.value["_index"]?.string)
    }

    private static func error(_ line: Int, _ message: String) -> FormatError {
        FormatError(format: "Elasticsearch bulk", offset: 0, line: line, message: message)
    }
}
