/// The `json` stage: every field of an object as a label, nested ones joined by `_`; or only the fields named.
struct JSONStage {
    /// The paths to take; empty: every field.
    let extractions: [(label: String, path: FieldPath)]
    let names: FieldNames

    func run(_ line: ArraySlice<UInt8>, _ labels: inout RowLabels) {
        do throws(JSONFault) {
            if extractions.isEmpty {
                try flatten(line, &labels)
            } else {
                try extract(line, &labels)
            }
        } catch {
            labels.fail(ErrorLabel.json, "\(error.message) at byte \(error.offset)")
        }
    }

    private func flatten(_ bytes: ArraySlice<UInt8>, _ labels: inout RowLabels) throws(JSONFault) {
        var scanner = JSONScanner(bytes)
        scanner.skipBlanks()
        guard scanner.byte == UInt8(ascii: "{") else { throw scanner.fault("Value looks like object, but can't find closing '}' symbol") }
        names.beginLine()
        try object(&scanner, parent: FieldNames.root, depth: 0, &labels)
    }

    private func object(_ scanner: inout JSONScanner, parent: Int, depth: Int, _ labels: inout RowLabels) throws(JSONFault) {
        guard depth < 128 else { throw scanner.fault("nested too deep") }
        try scanner.expect(UInt8(ascii: "{"))
        scanner.skipBlanks()
        if scanner.byte == UInt8(ascii: "}") {
            scanner.advance()
            return
        }
        while true {
            scanner.skipBlanks()
            let (range, isEscaped) = try scanner.string()
            scanner.skipBlanks()
            try scanner.expect(UInt8(ascii: ":"))
            scanner.skipBlanks()
            let field = names.index(scanner.slice(range), in: parent) { scanner.text(range, isEscaped: isEscaped) }
            switch scanner.byte {
            case UInt8(ascii: "{") where names.entries[field].mayHoldWanted:
                try object(&scanner, parent: field, depth: depth + 1, &labels)
            case UInt8(ascii: "{"): _ = try scanner.skipValue()
            case UInt8(ascii: "["): _ = try scanner.skipValue()
            case UInt8(ascii: "\""):
                let (value, isEscaped) = try scanner.string()
                if let name = names.label(field, among: labels) { labels.set(name, scanner.text(value, isEscaped: isEscaped)) }
            default:
                let isNull = scanner.byte == UInt8(ascii: "n")
                let value = try scanner.word()
                if !isNull, let name = names.label(field, among: labels) { labels.set(name, scanner.text(value)) }
            }
            scanner.skipBlanks()
            guard scanner.byte == UInt8(ascii: ",") else { break }
            scanner.advance()
        }
        try scanner.expect(UInt8(ascii: "}"))
    }

    private func extract(_ bytes: ArraySlice<UInt8>, _ labels: inout RowLabels) throws(JSONFault) {
        var scanner = JSONScanner(bytes)
        scanner.skipBlanks()
        guard scanner.byte == UInt8(ascii: "{") || scanner.byte == UInt8(ascii: "[") else {
            throw scanner.fault("the line is no JSON object")
        }
        for (label, path) in extractions {
            labels.set(labels.parsedName(label), try path.value(in: bytes) ?? "")
        }
    }
}

/// Names of fields as names of labels.
enum LabelName {
    /// `name` with what no label may hold replaced by `_`, behind `prefix` and another `_`.
    static func append(_ name: String, to prefix: [UInt8]) -> [UInt8] {
        var key = prefix
        if !key.isEmpty { key.append(UInt8(ascii: "_")) }
        var isFirst = key.isEmpty
        for scalar in name.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": key.append(UInt8(truncatingIfNeeded: scalar.value))
            case "0"..."9":
                if isFirst { key.append(UInt8(ascii: "_")) }
                key.append(UInt8(truncatingIfNeeded: scalar.value))
            default: key.append(UInt8(ascii: "_"))
            }
            isFirst = false
        }
        return key
    }

    static func sanitized(_ name: String) -> String {
        String(decoding: append(name, to: []), as: UTF8.self)
    }
}
