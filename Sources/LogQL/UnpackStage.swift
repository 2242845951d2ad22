/// The `unpack` stage: the labels and the line (`_entry`) that Promtail's `pack` stage wrapped into a JSON object.
struct UnpackStage {
    private static let entryName = "_entry"

    func run(_ line: inout ArraySlice<UInt8>, _ labels: inout RowLabels) {
        guard let first = line.first else { return }
        guard first == UInt8(ascii: "{") else {
            labels.fail(ErrorLabel.json, "expecting json object(6), but it is not")
            return
        }
        var entry: String?
        var found: [(String, String)] = []
        do throws(JSONFault) {
            entry = try Self.read(line, &found)
        } catch {
            labels.fail(ErrorLabel.json, error.message)
            return
        }
        // What was not packed stays as it is.
        guard let entry else { return }
        for (name, value) in found { labels.set(labels.parsedName(name), value) }
        line = Array(entry.utf8)[...]
    }

    /// What it says of broken objects are the words of Loki's parser, as in ``JSONStage``.
    private static func read(_ bytes: ArraySlice<UInt8>, _ found: inout [(String, String)]) throws(JSONFault) -> String? {
        var entry: String?
        var scanner = JSONScanner(bytes)
        scanner.advance()
        scanner.skipBlanks()
        if scanner.isAtEnd { throw scanner.fault(JSONFault.malformed) }
        while scanner.byte != UInt8(ascii: "}") {
            let (range, isEscaped) = try scanner.memberName()
            if let value = try scanner.looseValue(), value.isString {
                let name = scanner.text(range, isEscaped: isEscaped)
                let text = scanner.text(value.range, isEscaped: value.isEscaped)
                if name == entryName { entry = text } else { found.append((LabelName.sanitized(name), text)) }
            }
            try scanner.endMember()
        }
        return entry
    }
}
