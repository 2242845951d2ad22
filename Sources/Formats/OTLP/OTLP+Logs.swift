import Codecs
package import Telemetry

extension OTLP {
    /// Decodes an `ExportLogsServiceRequest` as Loki's OTLP endpoint does (grafana.com/docs/loki, "Ingesting logs to Loki using
    /// OpenTelemetry Collector"): some resource attributes become the stream's labels, everything else structured metadata.
    ///
    /// - Parameter time: the clock for records that bring no time of their own.
    /// - Throws: ``FormatError`` for bytes that are no such message.
    package static func decodeLogs(
        _ bytes: Span<UInt8>, encoding: Encoding, time: TimeSource = .system
    ) throws(FormatError) -> Decoded {
        let groups: [OTLPLogGroup]
        do throws(DecodeError) {
            switch encoding {
            case .protobuf: groups = try OTLPLogProtobuf.groups(bytes)
            case .json: groups = try OTLPLogJSON.groups(bytes)
            }
        } catch {
            throw FormatError("OTLP logs", error)
        }
        var batch = TelemetryBatch()
        var rejections = Rejections()
        var labelCount = 0
        let now = time.nanoseconds
        for group in groups where group.scopes.contains(where: { !$0.records.isEmpty }) {
            let translator = OTLPLogTranslator(resource: group.resource)
            batch.logs.streams.append(translator.stream(group, now: now, labelCount: &labelCount, &rejections))
        }
        return Decoded(batch: batch, rejected: rejections.count, rejectionMessage: rejections.message)
    }
}

/// `ResourceLogs` as read.
struct OTLPLogGroup {
    var resource = Resource.unknown
    var scopes: [OTLPLogScope] = []
}

/// `ScopeLogs` as read.
struct OTLPLogScope {
    var scope = OTLPScope()
    var records: [OTLPLogRecord] = []
}

/// `LogRecord` as read.
struct OTLPLogRecord {
    var time: Int64 = 0
    var observedTime: Int64 = 0
    var severityNumber: Int32 = 0
    var severityText = ""
    var body = AttributeValue.empty
    var attributes: [Attribute] = []
    var droppedAttributesCount: UInt32 = 0
    var flags: UInt32 = 0
    var traceID = TraceID.none
    var spanID = SpanID.none
    var eventName = ""
}
