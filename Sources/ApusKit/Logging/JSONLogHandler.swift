package import Logging
package import Tracing

/// Writes log events as JSON lines: level, ts, msg, service, request and trace id, then the metadata.
package struct JSONLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    package var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let service: String
    private let sink: LogSink

    init(label: String, service: String, level: Logger.Level, sink: LogSink) {
        self.label = label
        self.service = service
        self.logLevel = level
        self.sink = sink
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        sink.write(line(event, at: wallClockNanoseconds(), in: ServiceContext.current))
    }

    /// The line of one event.
    package func line(_ event: LogEvent, at nanoseconds: UInt64, in context: ServiceContext?) -> [UInt8] {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { _, new in new } }
        if let own = event.metadata { fields.merge(own) { _, new in new } }
        // Hummingbird's own request id, where there is the one that the caller sent.
        if context?.requestID != nil || fields["request_id"] != nil { fields["hb.request.id"] = nil }

        var json = JSONText()
        json.beginObject()
        json.field("level", LogLevelName.name(of: event.level))
        json.field("ts", Timestamp.text(nanoseconds: nanoseconds))
        json.field("msg", event.message.description)
        json.field("service", service)
        json.field("logger", label)
        if let id = context?.requestID, fields["request_id"] == nil { json.field("request_id", id) }
        if let span = context?.spanContext {
            json.field("trace_id", span.traceID.description)
            json.field("span_id", span.spanID.description)
        }
        if let error = event.error, fields["error"] == nil { json.field("error", "\(error)") }
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            // A second "level" in one object would make readers disagree about it.
            json.key(Self.reserved.contains(name) ? "metadata.\(name)" : name)
            Self.append(value, to: &json, depth: 0)
        }
        json.endObject()
        json.newline()
        return json.bytes
    }

    private static let reserved: Set<String> = ["level", "ts", "msg", "service", "logger", "trace_id", "span_id"]
    /// Metadata nested deeper than this is somebody's mistake.
    private static let depthMax = 8

    private static func append(_ value: Logger.MetadataValue, to json: inout JSONText, depth: Int) {
        switch value {
        case .string(let text):
            json.string(text)
        case .stringConvertible(let convertible):
            switch convertible {
            case let number as any BinaryInteger: json.raw("\(number)")
            case let number as Double: json.double(number)
            case let number as Float: json.double(Double(number))
            case let flag as Bool: json.raw(flag ? "true" : "false")
            default: json.string(convertible.description)
            }
        case .array(let values):
            guard depth < depthMax else { return json.string("…") }
            json.beginArray()
            for element in values { append(element, to: &json, depth: depth + 1) }
            json.endArray()
        case .dictionary(let values):
            guard depth < depthMax else { return json.string("…") }
            json.beginObject()
            for (name, element) in values.sorted(by: { $0.key < $1.key }) {
                json.key(name)
                append(element, to: &json, depth: depth + 1)
            }
            json.endObject()
        }
    }
}
