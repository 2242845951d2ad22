import Codecs
import Telemetry

extension OTLP {
    /// Decodes an `ExportTraceServiceRequest`.
    ///
    /// Spans without a valid id or start are rejected one by one, the others kept.
    ///
    /// - Throws: ``FormatError`` for bytes that are no such message.
    package static func decodeTraces(_ bytes: Span<UInt8>, encoding: Encoding) throws(FormatError) -> Decoded {
        var batch = TelemetryBatch()
        var rejections = Rejections()
        do throws(DecodeError) {
            switch encoding {
            case .protobuf: batch.spans.groups = try OTLPTraceProtobuf.groups(bytes, &rejections)
            case .json: batch.spans.groups = try OTLPTraceJSON.groups(bytes, &rejections)
            }
        } catch {
            throw FormatError("OTLP traces", error)
        }
        return Decoded(batch: batch, rejected: rejections.count, rejectionMessage: rejections.message)
    }
}

/// A span as it is read: its ids may turn out to be none.
struct OTLPSpan {
    var span = TraceSpan(traceID: .none, spanID: .none, name: "", start: 0, duration: 0)
    var end: Int64 = 0
    /// Nil where the bytes are not as many as an id has.
    var traceID: TraceID? = TraceID.none
    var spanID: SpanID? = SpanID.none
    var parentID: SpanID? = SpanID.none

    /// The span, or nil and why it cannot be kept. A span that ends before it starts gets no duration.
    func finished(_ rejections: inout Rejections, offset: Int) -> TraceSpan? {
        guard let traceID, !traceID.isNone else {
            rejections.add("the span at byte \(offset) has no valid trace_id: 16 bytes, not all zero")
            return nil
        }
        guard let spanID, !spanID.isNone else {
            rejections.add("the span at byte \(offset) has no valid span_id: 8 bytes, not all zero")
            return nil
        }
        guard let parentID else {
            rejections.add("the span at byte \(offset) has a parent_span_id that is not 8 bytes")
            return nil
        }
        guard span.start > 0 else {
            rejections.add("the span at byte \(offset) has no start_time_unix_nano")
            return nil
        }
        var span = span
        span.traceID = traceID
        span.spanID = spanID
        span.parentID = parentID
        // Both are ≥ 0, so that the difference cannot overflow.
        span.duration = max(0, end - span.start)
        return span
    }
}
