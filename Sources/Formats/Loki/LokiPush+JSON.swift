import Codecs
package import Telemetry

extension LokiPush {
    /// Decodes a JSON push: `{"streams":[{"stream":{…},"values":[["ns","line",{metadata}],…]}]}`, or the old form
    /// `{"streams":[{"labels":"{…}","entries":[{"ts":"RFC 3339","line":"…"}]}]}`. A request may mix both.
    ///
    /// As in Loki, label values that are numbers or booleans count as their text.
    ///
    /// - Throws: ``FormatError``.
    package static func decodeJSON(_ bytes: Span<UInt8>) throws(FormatError) -> LogBatch {
        var batch = LogBatch()
        do throws(DecodeError) {
            var reader = JSONReader(bytes)
            try reader.beginObject(in: bytes)
            while let name = try reader.nextName(in: bytes) {
                guard name == "streams", try !reader.skipNull(in: bytes) else {
                    if name != "streams" { try reader.skip(in: bytes) }
                    continue
                }
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) {
                    batch.streams.append(try stream(&reader, bytes))
                }
            }
            try reader.finish(in: bytes)
        } catch {
            throw FormatError(format, error)
        }
        return batch
    }

    private static func stream(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> LogBatch.Stream {
        var stream = LogBatch.Stream(labels: .empty)
        let start = reader.offset
        try reader.beginObject(in: bytes)
        while let name = try reader.nextName(in: bytes) {
            let offset = reader.offset
            switch name {
            case "stream": stream.labels = try labels(&reader, bytes)
            case "labels": stream.labels = try LokiLabels.parse(try reader.string(in: bytes), offset: offset + 1)
            case "values":
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) { stream.entries.append(try value(&reader, bytes)) }
            case "entries":
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) { stream.entries.append(try oldEntry(&reader, bytes)) }
            default: try reader.skip(in: bytes)
            }
        }
        guard !stream.labels.isEmpty else {
            throw DecodeError(offset: start, field: "stream", "a stream must have at least one label")
        }
        return stream
    }

    private static func labels(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> Labels {
        var labels: [Label] = []
        try reader.beginObject(in: bytes)
        while let name = try reader.nextName(in: bytes) {
            labels.append(Label(name, try labelText(&reader, bytes)))
        }
        return Labels(labels)
    }

    /// A label's value; what is no string counts as its text, objects and arrays are refused.
    private static func labelText(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> String {
        switch try reader.kind(in: bytes) {
        case .string: return try reader.string(in: bytes)
        case .number: return try reader.number(in: bytes).text
        case .bool: return try reader.bool(in: bytes) ? "true" : "false"
        case .null:
            _ = try reader.skipNull(in: bytes)
            return ""
        case .array, .object: throw DecodeError(offset: reader.offset, field: "stream", "a label's value must be a string")
        }
    }

    /// `["ns", "line"]` or `["ns", "line", {metadata}]`.
    private static func value(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> LogEntry {
        try reader.beginArray(in: bytes)
        guard try reader.nextElement(in: bytes) else { throw missing("the timestamp", reader) }
        var entry = LogEntry(timestamp: try timestamp(&reader, bytes), line: "")
        guard try reader.nextElement(in: bytes) else { throw missing("the line", reader) }
        entry.line = try line(&reader, bytes)
        guard try reader.nextElement(in: bytes) else { return entry }
        if try !reader.skipNull(in: bytes) {
            entry.metadata = try labels(&reader, bytes)
            entry.adoptTraceContext()
        }
        if try reader.nextElement(in: bytes) {
            throw DecodeError(offset: reader.offset, field: "values", "an entry has at most three elements")
        }
        return entry
    }

    /// The line: a string. An object or array is kept as the JSON that it is: loki-logger-handler sends such where it does not
    /// compress.
    private static func line(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> String {
        switch try reader.kind(in: bytes) {
        case .object, .array:
            let start = reader.offset
            try reader.skip(in: bytes)
            return bytes.text(start..<reader.offset)
        default: return try reader.string(in: bytes)
        }
    }

    /// Nanoseconds in a string, as Loki documents them, or as a bare integer.
    private static func timestamp(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> Int64 {
        let kind = try reader.kind(in: bytes)
        let offset = reader.offset
        let text = kind == .number ? try reader.number(in: bytes).text : try reader.string(in: bytes)
        guard let nanoseconds = Int64(text) else {
            throw DecodeError(
                offset: offset, field: "values", "the timestamp must be nanoseconds in a string, found \"\(text.prefix(40))\"")
        }
        return nanoseconds
    }

    /// `{"ts":"2026-…", "line":"…"}`.
    private static func oldEntry(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodeError) -> LogEntry {
        var entry = LogEntry(timestamp: 0, line: "")
        var hasTimestamp = false
        let start = reader.offset
        try reader.beginObject(in: bytes)
        while let name = try reader.nextName(in: bytes) {
            let offset = reader.offset
            switch name {
            case "ts", "timestamp":
                let text = try reader.string(in: bytes)
                guard let nanoseconds = RFC3339.nanoseconds(text.utf8) else {
                    throw DecodeError(offset: offset, field: "ts", "expected a time as in RFC 3339, found \"\(text.prefix(40))\"")
                }
                entry.timestamp = nanoseconds
                hasTimestamp = true
            case "line": entry.line = try reader.string(in: bytes)
            case "structuredMetadata":
                entry.metadata = try labels(&reader, bytes)
                entry.adoptTraceContext()
            default: try reader.skip(in: bytes)
            }
        }
        guard hasTimestamp else { throw DecodeError(offset: start, field: "ts", "an entry has no timestamp") }
        return entry
    }

    private static func missing(_ what: String, _ reader: JSONReader) -> DecodeError {
        DecodeError(offset: reader.offset, field: "values", "an entry lacks \(what)")
    }
}
