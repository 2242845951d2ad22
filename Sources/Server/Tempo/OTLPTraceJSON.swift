/// The two names of one list: Tempo's first API calls the resource spans of a trace `batches`, OTLP calls them `resourceSpans`.
enum OTLPTraceJSON {
    /// `{"batches":…}` with its first name changed to OTLP's.
    static func withResourceSpans(_ trace: [UInt8]) -> [UInt8] {
        let prefix = Array("{\"batches\":".utf8)
        guard trace.starts(with: prefix) else { return trace }
        return Array("{\"resourceSpans\":".utf8) + trace.dropFirst(prefix.count)
    }
}
