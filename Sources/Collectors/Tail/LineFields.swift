import Telemetry

/// What a structured log line (JSON or logfmt) says of itself: when, how bad, and within which trace.
struct LineFields: Equatable {
    /// Nanoseconds since the Unix epoch; nil where the line does not say.
    var timestamp: Int64?
    var traceID = TraceID.none
    var spanID = SpanID.none
    /// As Loki names it: `trace debug info warn error critical`.
    var level: String?

    /// Reads the fields of a line; one that is neither JSON nor logfmt has none.
    static func read(_ line: [UInt8]) -> LineFields {
        var fields = LineFields()
        guard let first = line.firstIndex(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }) else {
            return fields
        }
        if line[first] == UInt8(ascii: "{") {
            TopLevelJSON.walk(line, from: first) { fields.take(key: $0, value: $1, isString: $2) }
        } else {
            Logfmt.walk(line) { fields.take(key: $0, value: $1, isString: true) }
        }
        return fields
    }

    private mutating func take(key: ArraySlice<UInt8>, value: ArraySlice<UInt8>, isString: Bool) {
        // The longest name is `@timestamp`.
        guard key.count <= 10 else { return }
        switch String(decoding: key, as: UTF8.self).lowercased() {
        case "ts", "time", "timestamp", "@timestamp", "t":
            if timestamp == nil { timestamp = isString ? TimeText.parse(value) : TimeText.parseNumber(value) }
        case "trace_id", "traceid", "trace.id", "trace-id":
            if let id = TraceID(hex: String(decoding: value, as: UTF8.self)) { traceID = id }
        case "span_id", "spanid", "span.id", "span-id":
            if let id = SpanID(hex: String(decoding: value, as: UTF8.self)) { spanID = id }
        case "level", "lvl", "severity", "log.level", "loglevel":
            if level == nil { level = Self.level(String(decoding: value.prefix(16), as: UTF8.self).lowercased()) }
        default: break
        }
    }

    /// Loki's names for the levels of the common loggers (distributor, `normalizeLogLevel`).
    private static func level(_ text: String) -> String? {
        switch text {
        case "trace", "trc": "trace"
        case "debug", "dbg": "debug"
        case "info", "inf", "information", "informational", "notice": "info"
        case "warn", "wrn", "warning": "warn"
        case "error", "err", "eror": "error"
        case "critical", "crit", "dpanic": "critical"
        case "fatal", "panic", "emerg", "emergency", "alert": "fatal"
        default: nil
        }
    }
}

/// Walks the members of a JSON object, without those of the objects within.
enum TopLevelJSON {
    /// Calls `body` with each key and its value: strings without quotes (escapes as written), everything else as written.
    /// Ends at the first thing that is no JSON.
    static func walk(_ bytes: [UInt8], from start: Int, _ body: (ArraySlice<UInt8>, ArraySlice<UInt8>, Bool) -> Void) {
        var index = start + 1
        while index < bytes.count {
            skipSpace(bytes, &index)
            if index < bytes.count, bytes[index] == UInt8(ascii: ",") { index += 1 }
            skipSpace(bytes, &index)
            guard let key = string(bytes, &index) else { return }
            skipSpace(bytes, &index)
            guard index < bytes.count, bytes[index] == UInt8(ascii: ":") else { return }
            index += 1
            skipSpace(bytes, &index)
            guard index < bytes.count else { return }
            if bytes[index] == UInt8(ascii: "\"") {
                guard let value = string(bytes, &index) else { return }
                body(key, value, true)
            } else {
                let begin = index
                skipValue(bytes, &index)
                body(key, bytes[begin..<index], false)
            }
        }
    }

    private static func skipSpace(_ bytes: [UInt8], _ index: inout Int) {
        while index < bytes.count, bytes[index] == UInt8(ascii: " ") || bytes[index] == UInt8(ascii: "\t") {
            index += 1
        }
    }

    private static func string(_ bytes: [UInt8], _ index: inout Int) -> ArraySlice<UInt8>? {
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { return nil }
        let begin = index + 1
        index = begin
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\\") {
                index += 2
            } else if bytes[index] == UInt8(ascii: "\"") {
                index += 1
                return bytes[begin..<(index - 1)]
            } else {
                index += 1
            }
        }
        return nil
    }

    /// Goes behind a number, a word, an object or an array.
    private static func skipValue(_ bytes: [UInt8], _ index: inout Int) {
        var depth = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                guard string(bytes, &index) != nil else {
                    index = bytes.count
                    return
                }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return }
                depth -= 1
            case UInt8(ascii: ","): if depth == 0 { return }
            case UInt8(ascii: " "): if depth == 0 { return }
            default: break
            }
            index += 1
        }
    }
}

/// Walks the pairs of a logfmt line: `key=value key="quoted value"`.
enum Logfmt {
    static func walk(_ bytes: [UInt8], _ body: (ArraySlice<UInt8>, ArraySlice<UInt8>) -> Void) {
        var index = 0
        while index < bytes.count {
            let begin = index
            while index < bytes.count, bytes[index] != UInt8(ascii: "="), bytes[index] != UInt8(ascii: " ") {
                index += 1
            }
            guard index < bytes.count, bytes[index] == UInt8(ascii: "=") else {
                index += 1
                continue
            }
            let key = bytes[begin..<index]
            index += 1
            if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
                let first = index + 1
                index = first
                while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
                    index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
                }
                index = min(index, bytes.count)
                body(key, bytes[first..<index])
                index += 1
            } else {
                let first = index
                while index < bytes.count, bytes[index] != UInt8(ascii: " ") { index += 1 }
                body(key, bytes[first..<index])
            }
        }
    }
}
