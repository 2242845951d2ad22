import Codecs
import Telemetry

/// logs.proto in JSON.
enum OTLPLogJSON {
    /// `SEVERITY_NUMBER_UNSPECIFIED`, `SEVERITY_NUMBER_TRACE`, `SEVERITY_NUMBER_TRACE2`, … `SEVERITY_NUMBER_FATAL4`.
    private static let severityNames: [String] =
        ["SEVERITY_NUMBER_UNSPECIFIED"]
        + ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].flatMap { name in
            ["", "2", "3", "4"].map { "SEVERITY_NUMBER_\(name)\($0)" }
        }

    static func groups(_ bytes: Span<UInt8>) throws(DecodeError) -> [OTLPLogGroup] {
        var groups: [OTLPLogGroup] = []
        var reader = JSONReader(bytes)
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            guard name == "resourceLogs" else {
                try reader.skip(in: bytes)
                continue
            }
            try reader.beginArray(in: bytes)
            while try reader.nextElement(in: bytes) { groups.append(try group(&reader, bytes)) }
        }
        try reader.finish(in: bytes)
        return groups
    }

    private static func group(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> OTLPLogGroup {
        var group = OTLPLogGroup()
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "resource": group.resource = try OTLPJSON.resource(&reader, bytes)
            case "scopeLogs":
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) { group.scopes.append(try scope(&reader, bytes)) }
            default: try reader.skip(in: bytes)
            }
        }
        return group
    }

    private static func scope(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> OTLPLogScope {
        var scope = OTLPLogScope()
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "scope": scope.scope = try OTLPJSON.scope(&reader, bytes)
            case "logRecords":
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) { scope.records.append(try record(&reader, bytes)) }
            default: try reader.skip(in: bytes)
            }
        }
        return scope
    }

    private static func record(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> OTLPLogRecord {
        var record = OTLPLogRecord()
        try reader.beginObject(in: bytes)
        while let name = try reader.nextField(in: bytes) {
            switch name {
            case "timeUnixNano": record.time = try reader.time("LogRecord.timeUnixNano", in: bytes)
            case "observedTimeUnixNano": record.observedTime = try reader.time("LogRecord.observedTimeUnixNano", in: bytes)
            case "severityNumber":
                let number = try reader.enumeration("LogRecord.severityNumber", severityNames, in: bytes)
                record.severityNumber = Int32(clamping: number)
            case "severityText": record.severityText = try reader.string(in: bytes)
            case "body": record.body = try OTLPJSON.value(&reader, bytes)
            case "attributes": record.attributes = try OTLPJSON.attributes(&reader, bytes)
            case "droppedAttributesCount":
                record.droppedAttributesCount = try reader.uint32("LogRecord.droppedAttributesCount", in: bytes)
            case "flags": record.flags = try reader.uint32("LogRecord.flags", in: bytes)
            case "traceId": record.traceID = try reader.traceID(in: bytes) ?? .none
            case "spanId": record.spanID = try reader.spanID(in: bytes) ?? .none
            case "eventName": record.eventName = try reader.string(in: bytes)
            default: try reader.skip(in: bytes)
            }
        }
        return record
    }
}
