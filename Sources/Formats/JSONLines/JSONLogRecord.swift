import Codecs
import Telemetry

/// Makes a log line of one JSON object: its time, its message, labels of the stream, everything else structured metadata, nested names joined
/// by dots.
struct JSONLogRecord {
    /// Names of the fields that hold the time, the line, and the labels of the stream.
    var timeFields: [String]
    var messageFields: [String]
    var streamFields: Set<String>

    /// Deeper objects than that become text.
    private static let depthMax = 16

    /// - Parameters:
    ///   - text: the object as it came: the line where no field holds one.
    ///   - now: the time of a record that has none, in nanoseconds.
    /// - Throws: a ``DecodeError`` where a time cannot be read.
    func entry(
        _ object: JSONObject, text: @autoclosure () -> String, now: Int64
    ) throws(DecodeError) -> (stream: [Label], entry: LogEntry) {
        var fields: [(name: String, value: JSONValue)] = []
        Self.flatten(object, prefix: "", depth: 0, &fields)
        var entry = LogEntry(timestamp: now, line: "")
        var (stream, metadata): ([Label], [Label]) = ([], [])
        let timeName = timeFields.first { name in fields.contains { $0.name == name } }
        let messageName = messageFields.first { name in fields.contains { $0.name == name && !Self.text($0.value).isEmpty } }
        for (name, value) in fields {
            if name == timeName {
                guard let timestamp = Self.timestamp(value) else {
                    let text = Self.text(value).prefix(40)
                    throw DecodeError(offset: 0, field: name, "expected a time (RFC 3339, or a number since the epoch), found \(text)")
                }
                // Zero means now, as for VictoriaLogs.
                if timestamp != 0 { entry.timestamp = timestamp }
            } else if name == messageName {
                entry.line = Self.text(value)
            } else if streamFields.contains(name) {
                stream.append(Label(Self.labelName(name), Self.text(value)))
            } else {
                metadata.append(Label(Self.labelName(name), Self.text(value)))
            }
        }
        if messageName == nil {
            // The object itself is the line: its fields are in it.
            entry.line = text()
            metadata = []
        }
        entry.metadata = Labels(metadata)
        entry.adoptTraceContext()
        return (stream, entry)
    }

    private static func flatten(_ object: JSONObject, prefix: String, depth: Int, _ fields: inout [(name: String, value: JSONValue)]) {
        for member in object.members {
            let name = prefix.isEmpty ? member.name : prefix + "." + member.name
            switch member.value {
            case .object(let inner) where depth < depthMax: flatten(inner, prefix: name, depth: depth + 1, &fields)
            case .null: break
            default: fields.append((name, member.value))
            }
        }
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): return text
        case .number(let number): return number.text
        case .bool(let value): return value ? "true" : "false"
        case .null: return ""
        case .array, .object:
            var json = JSONWriter(escapesHTML: false)
            json.value(value)
            return json.text
        }
    }

    /// Names of fields as labels: letters, digits and underscores.
    static func labelName(_ name: String) -> String {
        var label = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": label.unicodeScalars.append(scalar)
            case "0"..."9":
                if label.isEmpty { label = "_" }
                label.unicodeScalars.append(scalar)
            // `@timestamp` and its like lose the sign.
            case "@" where label.isEmpty: break
            default: label += "_"
            }
        }
        return label.isEmpty ? "_" : label
    }

    /// RFC 3339 (also with a blank for the `T`), or a number: seconds, milliseconds, microseconds or nanoseconds by its size.
    static func timestamp(_ value: JSONValue) -> Int64? {
        switch value {
        case .string(let text):
            if let time = RFC3339.nanoseconds(text.utf8) { return time }
            if let time = RFC3339.nanoseconds(text.replacing(" ", with: "T", maxReplacements: 1).utf8) { return time }
            // Without a zone UTC is meant.
            if let time = RFC3339.nanoseconds((text.replacing(" ", with: "T", maxReplacements: 1) + "Z").utf8) { return time }
            return number(text)
        case .number(let number): return self.number(number.text)
        default: return nil
        }
    }

    private static func number(_ text: String) -> Int64? {
        if let whole = Int64(text) {
            let factor: Int64 =
                switch whole.magnitude {
                case ..<100_000_000_000: 1_000_000_000
                case ..<100_000_000_000_000: 1_000_000
                case ..<100_000_000_000_000_000: 1_000
                default: 1
                }
            let (product, overflow) = whole.multipliedReportingOverflow(by: factor)
            return overflow ? nil : product
        }
        guard let number = Double(text), number.isFinite, abs(number) < 9e9 else { return nil }
        // Seconds and fraction apart: a double has not the digits for nanoseconds.
        let whole = number.rounded(.down)
        return Int64(whole) * 1_000_000_000 + Int64(((number - whole) * 1e6).rounded()) * 1_000
    }
}
