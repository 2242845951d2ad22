import Telemetry

/// A field that lines have, found without being told of it.
package struct DetectedField: Sendable, Hashable {
    /// What the values look like (Loki, HTTP API, "Detected fields").
    package enum Kind: String, Sendable, Hashable {
        case string, int, float, boolean, duration, bytes
    }

    package var label: String
    package var kind: Kind
    package var values: Set<String>
    /// The parsers that find it: `json`, `logfmt`; none for structured metadata.
    package var parsers: [String]
    /// Its place in JSON lines.
    package var path: [String]?
}

/// Finds out which fields lines have: structured metadata, what the query's own parsers made, and what `json` or else `logfmt` find.
package enum FieldDetection {
    /// At most `limit` fields, by name.
    package static func fields(of streams: [LogQLStream], limit: Int) -> [DetectedField] {
        var found: [String: DetectedField] = [:]
        func add(_ label: String, _ value: String, parser: String?, path: [String]?) {
            if found[label] == nil {
                guard found.count < limit else { return }
                found[label] = DetectedField(label: label, kind: .string, values: [], parsers: [], path: nil)
            }
            found[label]?.kind = kind(of: value)
            found[label]?.values.insert(value)
            if let parser, !(found[label]?.parsers.contains(parser) ?? true) { found[label]?.parsers.append(parser) }
            if let path { found[label]?.path = path }
        }
        for stream in streams {
            for entry in stream.entries {
                for pair in entry.structuredMetadata.pairs { add(pair.name, pair.value, parser: nil, path: nil) }
                let (parser, parsed) = parse(entry, stream)
                for pair in entry.parsed.pairs where !isError(pair.name) { add(pair.name, pair.value, parser: parser, path: nil) }
                for field in parsed { add(field.label, field.value, parser: parser, path: field.path) }
            }
        }
        return found.values.sorted { $0.label.utf8Precedes($1.label) }
    }

    private static func isError(_ name: String) -> Bool { name.hasPrefix("__error") || name.hasPrefix("__preserve_error") }

    private static func parse(
        _ entry: LogQLEntry, _ stream: LogQLStream
    ) -> (parser: String?, fields: [(label: String, value: String, path: [String]?)]) {
        let line = Array(entry.line.utf8)[...]
        let made = Set(entry.parsed.pairs.map(\.name))
        func name(_ label: String) -> String {
            // What structured metadata brings is no label of the stream.
            stream.labels[label] != nil && !made.contains(label) && entry.structuredMetadata[label] == nil
                ? label + RowLabels.conflictSuffix : label
        }
        if let fields = JSONFields.all(line) { return ("json", fields.map { (name($0.label), $0.value, $0.path) }) }
        var labels = RowLabels(detectsLevel: false)
        labels.reset(
            stream: stream.labels.dropping(made.union(entry.structuredMetadata.pairs.map(\.name))), metadata: .empty, line: line)
        LogfmtStage(isStrict: false, keepsEmpty: false, extractions: [], names: FieldNames(needed: nil)).run(line, &labels)
        guard labels.error == nil else { return (nil, []) }
        return ("logfmt", labels.parsedLabels.pairs.map { ($0.name, $0.value, nil) })
    }

    /// Loki tries these in order.
    static func kind(of value: String) -> DetectedField.Kind {
        if Int64(value) != nil { return .int }
        if Double(value) != nil { return .float }
        switch value {
        case "t", "T", "TRUE", "true", "True", "f", "F", "FALSE", "false", "False": return .boolean
        default: break
        }
        if Units.duration(value, allowsDays: false) != nil { return .duration }
        if Units.bytes(value) != nil { return .bytes }
        return .string
    }
}
