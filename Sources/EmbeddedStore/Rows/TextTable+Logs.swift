import Codecs
import Telemetry

// The trace and span of a log row. Byte for byte: docs/format/rows.md.

extension TextTableWriter {
    /// A byte that says which ids there are, and those.
    mutating func append(_ traceID: TraceID, _ spanID: SpanID) {
        body.append((traceID.isNone ? 0 : 1) | (spanID.isNone ? 0 : 2))
        if !traceID.isNone {
            body.append(fixed64: traceID.high)
            body.append(fixed64: traceID.low)
        }
        if !spanID.isNone { body.append(fixed64: spanID.value) }
    }
}

extension TextTableReader {
    mutating func identifiers() throws(DecodeError) -> (trace: TraceID, span: SpanID) {
        let present = try body.byte("identifiers")
        guard present < 4 else { throw DecodeError(offset: body.offset, field: "identifiers", "flags \(present)") }
        var (trace, span) = (TraceID.none, SpanID.none)
        if present & 1 != 0 { trace = TraceID(high: try body.fixed64("trace id"), low: try body.fixed64("trace id")) }
        if present & 2 != 0 { span = SpanID(try body.fixed64("span id")) }
        return (trace, span)
    }
}
