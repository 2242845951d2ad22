/// The `json` stage: every field of an object as a label, nested ones joined by `_`; or only the fields named.
///
/// What it says of broken lines, and how much of them it takes, follows Loki's own parser (jsonparser's `ObjectEach`): arrays are passed over
/// without a look at what they hold, and of an object that does not end nothing is taken.
struct JSONStage {
    /// The paths to take; empty: every field.
    let extractions: [(label: String, path: FieldPath)]
    let names: FieldNames
    var hints = ParserHints.none

    func run(_ line: ArraySlice<UInt8>, _ labels: inout RowLabels) {
        if hints.isSatisfied(by: labels) { return }
        guard extractions.isEmpty else { return extract(line, &labels) }
        var scanner = JSONScanner(line)
        names.beginLine()
        do throws(JSONFault) {
            _ = try object(&scanner, parent: FieldNames.root, depth: 0, &labels)
        } catch {
            labels.fail(ErrorLabel.json, error.message)
        }
    }

    /// - Returns: false where the labels needed are there, and the rest does not matter.
    private func object(
        _ scanner: inout JSONScanner, parent: Int, depth: Int, _ labels: inout RowLabels
    ) throws(JSONFault) -> Bool {
        scanner.skipBlanks()
        guard scanner.byte == UInt8(ascii: "{") else { throw scanner.fault(JSONFault.openObject) }
        guard depth < 128 else { throw scanner.fault("nested too deep") }
        scanner.advance()
        scanner.skipBlanks()
        if scanner.isAtEnd { throw scanner.fault(JSONFault.malformed) }
        while true {
            if scanner.byte == UInt8(ascii: "}") {
                scanner.advance()
                return true
            }
            let (range, isEscaped) = try scanner.memberName()
            scanner.skipBlanks()
            let field = names.index(scanner.slice(range), in: parent) { scanner.text(range, isEscaped: isEscaped) }
            guard try value(&scanner, field, depth, &labels) else { return false }
            try scanner.endMember()
        }
    }

    private func value(
        _ scanner: inout JSONScanner, _ field: Int, _ depth: Int, _ labels: inout RowLabels
    ) throws(JSONFault) -> Bool {
        switch scanner.byte {
        case UInt8(ascii: "{") where names.entries[field].mayHoldWanted:
            let before = labels.ownCount
            do throws(JSONFault) {
                return try object(&scanner, parent: field, depth: depth + 1, &labels)
            } catch {
                guard scanner.isAtEnd else { throw error }
                labels.truncateOwn(before)
                throw scanner.fault(JSONFault.openObject)
            }
        case UInt8(ascii: "{"):
            guard scanner.skipBlock(UInt8(ascii: "{"), UInt8(ascii: "}")) else { throw scanner.fault(JSONFault.openObject) }
        case UInt8(ascii: "["):
            guard scanner.skipBlock(UInt8(ascii: "["), UInt8(ascii: "]")) else { throw scanner.fault(JSONFault.openArray) }
        case UInt8(ascii: "\""):
            let (value, isEscaped) = try scanner.string(otherwise: JSONFault.openString)
            if let name = names.label(field, among: labels) {
                labels.setParsed(name, scanner.text(value, isEscaped: isEscaped))
                return !hints.isSatisfied(by: labels)
            }
        default:
            if scanner.isAtEnd { throw scanner.fault(JSONFault.malformed) }
            guard let (value, isNull) = scanner.plainValue() else { throw scanner.fault(JSONFault.unknownValue) }
            if !isNull, let name = names.label(field, among: labels) {
                labels.setParsed(name, scanner.text(value))
                return !hints.isSatisfied(by: labels)
            }
        }
        return true
    }

    private func extract(_ bytes: ArraySlice<UInt8>, _ labels: inout RowLabels) {
        guard let first = bytes.first else { return }
        guard [UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\"")].contains(first) else {
            labels.fail(ErrorLabel.json, nil)
            return
        }
        for (label, path) in extractions {
            var found: String?
            do throws(JSONFault) { found = try path.value(in: bytes) } catch { labels.fail(ErrorLabel.json, error.message) }
            if let found {
                labels.set(labels.parsedName(label), found)
            } else if labels.value(label).isEmpty {
                labels.set(label, "")
            }
        }
    }
}

/// Names of fields as names of labels.
enum LabelName {
    /// `name` with what no label may hold replaced by `_`, behind `prefix` and another `_`; a name of blanks adds nothing.
    static func append(_ name: String, to prefix: [UInt8]) -> [UInt8] {
        var scalars = Array(name.unicodeScalars)[...]
        while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        var key = prefix
        guard !scalars.isEmpty else { return key }
        if !key.isEmpty { key.append(UInt8(ascii: "_")) }
        var isFirst = key.isEmpty
        for scalar in scalars {
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
