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

    private static func read(_ bytes: ArraySlice<UInt8>, _ found: inout [(String, String)]) throws(JSONFault) -> String? {
        var entry: String?
        var scanner = JSONScanner(bytes)
        scanner.skipBlanks()
        try scanner.expect(UInt8(ascii: "{"))
        scanner.skipBlanks()
        if scanner.byte == UInt8(ascii: "}") { return nil }
        while true {
            scanner.skipBlanks()
            let (range, isEscaped) = try scanner.string()
            let name = scanner.text(range, isEscaped: isEscaped)
            scanner.skipBlanks()
            try scanner.expect(UInt8(ascii: ":"))
            scanner.skipBlanks()
            if scanner.byte == UInt8(ascii: "\"") {
                let (range, isEscaped) = try scanner.string()
                let value = scanner.text(range, isEscaped: isEscaped)
                if name == entryName { entry = value } else { found.append((LabelName.sanitized(name), value)) }
            } else {
                _ = try scanner.skipValue()
            }
            scanner.skipBlanks()
            guard scanner.byte == UInt8(ascii: ",") else { break }
            scanner.advance()
        }
        try scanner.expect(UInt8(ascii: "}"))
        return entry
    }
}
