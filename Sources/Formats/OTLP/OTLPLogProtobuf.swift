import Codecs
import Telemetry

/// logs.proto on the wire.
enum OTLPLogProtobuf {
    static func groups(_ bytes: Span<UInt8>) throws(DecodeError) -> [OTLPLogGroup] {
        var groups: [OTLPLogGroup] = []
        var reader = ProtobufReader(bytes)
        while let field = try reader.next(in: bytes) {
            guard field.number == 1 else { continue }
            groups.append(try group(try field.message("ExportLogsServiceRequest.resource_logs"), bytes))
        }
        return groups
    }

    private static func group(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> OTLPLogGroup {
        var reader = message
        var group = OTLPLogGroup()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: group.resource = try OTLPProtobuf.resource(try field.message("ResourceLogs.resource"), bytes)
            case 2: group.scopes.append(try scope(try field.message("ResourceLogs.scope_logs"), bytes))
            default: break
            }
        }
        return group
    }

    private static func scope(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> OTLPLogScope {
        var reader = message
        var scope = OTLPLogScope()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: scope.scope = try OTLPProtobuf.scope(try field.message("ScopeLogs.scope"), bytes)
            case 2: scope.records.append(try record(try field.message("ScopeLogs.log_records"), bytes))
            default: break
            }
        }
        return scope
    }

    private static func record(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> OTLPLogRecord {
        var reader = message
        var record = OTLPLogRecord()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: record.time = try OTLPProtobuf.time(field, "LogRecord.time_unix_nano")
            case 2: record.severityNumber = try field.int32("LogRecord.severity_number")
            case 3: record.severityText = try field.string("LogRecord.severity_text", in: bytes)
            case 5: record.body = try OTLPProtobuf.value(try field.message("LogRecord.body"), bytes)
            case 6: record.attributes.append(try OTLPProtobuf.attribute(try field.message("LogRecord.attributes"), bytes))
            case 7: record.droppedAttributesCount = try field.uint32("LogRecord.dropped_attributes_count")
            case 8: record.flags = try field.fixed32("LogRecord.flags")
            // A log line with a damaged id is still a log line: the data model says to treat such ids as absent.
            case 9: record.traceID = try OTLPProtobuf.traceID(field, "LogRecord.trace_id", bytes) ?? .none
            case 10: record.spanID = try OTLPProtobuf.spanID(field, "LogRecord.span_id", bytes) ?? .none
            case 11: record.observedTime = try OTLPProtobuf.time(field, "LogRecord.observed_time_unix_nano")
            case 12: record.eventName = try field.string("LogRecord.event_name", in: bytes)
            default: break
            }
        }
        return record
    }
}
