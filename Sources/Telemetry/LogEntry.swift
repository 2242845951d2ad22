/// One log line of a stream.
package struct LogEntry: Sendable, Hashable {
    /// Nanoseconds since the Unix epoch.
    package var timestamp: Int64
    /// The line, byte for byte as it came (valid UTF-8: decoders replace what is not).
    package var line: String
    /// Structured metadata, sorted by name.
    package var metadata: Labels
    /// The trace and span it belongs to, where known.
    package var traceID: TraceID
    package var spanID: SpanID

    package init(timestamp: Int64, line: String, metadata: Labels = .empty, traceID: TraceID = .none, spanID: SpanID = .none) {
        self.timestamp = timestamp
        self.line = line
        self.metadata = metadata
        self.traceID = traceID
        self.spanID = spanID
    }
}
