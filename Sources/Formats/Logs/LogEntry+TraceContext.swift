package import Telemetry

extension LogEntry {
    /// The names under which loggers and agents put a trace's and a span's id into structured metadata.
    private static let traceNames: Set<String> = ["trace_id", "traceID", "traceId", "traceid", "TraceID", "TraceId"]
    private static let spanNames: Set<String> = ["span_id", "spanID", "spanId", "spanid", "SpanID", "SpanId"]

    /// Sets ``traceID`` and ``spanID`` from the structured metadata, where it names them and they are not set yet.
    package mutating func adoptTraceContext() {
        for label in metadata.pairs {
            // All of the names have 6 to 8 letters: most labels need no look into the sets.
            guard (6...8).contains(label.name.utf8.count) else { continue }
            if traceID.isNone, Self.traceNames.contains(label.name), label.value.utf8.count >= 16,
                let id = TraceID(hex: label.value)
            {
                traceID = id
            } else if spanID.isNone, Self.spanNames.contains(label.name), label.value.utf8.count == 16,
                let id = SpanID(hex: label.value)
            {
                spanID = id
            }
        }
    }
}
