/// The fields of JSON lines by their places.
package enum JSONFields {
    /// A field that is no object and no array.
    struct Field {
        /// The label that the `json` stage makes of it.
        var label: String
        var path: [String]
        var value: String
    }

    /// The string that the first of `names` there is has, at the top of the object.
    package static func first(of names: [String], in line: ArraySlice<UInt8>) -> String? {
        var best: (rank: Int, value: String)?
        guard let fields = all(line, depthMax: 1) else { return nil }
        for field in fields {
            guard let rank = names.firstIndex(of: field.path[0]), rank < best?.rank ?? .max, !field.value.isEmpty else { continue }
            best = (rank, field.value)
        }
        return best?.value
    }

    /// All fields; nil where the line is no JSON object.
    static func all(_ line: ArraySlice<UInt8>, depthMax: Int = 128) -> [Field]? {
        var scanner = JSONScanner(line)
        scanner.skipBlanks()
        guard scanner.byte == UInt8(ascii: "{") else { return nil }
        var fields: [Field] = []
        do throws(JSONFault) {
            try object(&scanner, [], [], depthMax, &fields)
        } catch {
            return nil
        }
        return fields
    }

    private static func object(
        _ scanner: inout JSONScanner, _ path: [String], _ prefix: [UInt8], _ depthLeft: Int, _ fields: inout [Field]
    ) throws(JSONFault) {
        try scanner.expect(UInt8(ascii: "{"))
        scanner.skipBlanks()
        if scanner.byte == UInt8(ascii: "}") { return scanner.advance() }
        while true {
            scanner.skipBlanks()
            let (range, isEscaped) = try scanner.string()
            let name = scanner.text(range, isEscaped: isEscaped)
            let label = LabelName.append(name, to: prefix)
            scanner.skipBlanks()
            try scanner.expect(UInt8(ascii: ":"))
            scanner.skipBlanks()
            switch scanner.byte {
            case UInt8(ascii: "{") where depthLeft > 1: try object(&scanner, path + [name], label, depthLeft - 1, &fields)
            case UInt8(ascii: "{"), UInt8(ascii: "["): _ = try scanner.skipValue()
            case UInt8(ascii: "\""):
                let (value, isEscaped) = try scanner.string()
                fields.append(Field(label: text(label), path: path + [name], value: scanner.text(value, isEscaped: isEscaped)))
            default:
                let value = scanner.text(try scanner.word())
                if value != "null" { fields.append(Field(label: text(label), path: path + [name], value: value)) }
            }
            scanner.skipBlanks()
            guard scanner.byte == UInt8(ascii: ",") else { break }
            scanner.advance()
        }
        try scanner.expect(UInt8(ascii: "}"))
    }

    private static func text(_ label: [UInt8]) -> String { String(decoding: label, as: UTF8.self) }
}
