/// `fromJson`: a JSON text as a value.
enum TemplateJSON {
    /// `.none` where the text is no JSON.
    static func value(_ text: String) -> TemplateValue {
        var scanner = JSONScanner(Array(text.utf8)[...])
        do throws(JSONFault) {
            return try value(&scanner, depth: 0)
        } catch {
            return .none
        }
    }

    private static func value(_ scanner: inout JSONScanner, depth: Int) throws(JSONFault) -> TemplateValue {
        guard depth < 128 else { throw scanner.fault("nested too deep") }
        scanner.skipBlanks()
        switch scanner.byte {
        case UInt8(ascii: "\""):
            let (range, isEscaped) = try scanner.string()
            return .string(scanner.text(range, isEscaped: isEscaped))
        case UInt8(ascii: "{"):
            scanner.advance()
            var members: [String: TemplateValue] = [:]
            scanner.skipBlanks()
            while scanner.byte == UInt8(ascii: "\"") {
                let (range, isEscaped) = try scanner.string()
                scanner.skipBlanks()
                try scanner.expect(UInt8(ascii: ":"))
                members[scanner.text(range, isEscaped: isEscaped)] = try value(&scanner, depth: depth + 1)
                scanner.skipBlanks()
                guard scanner.byte == UInt8(ascii: ",") else { break }
                scanner.advance()
                scanner.skipBlanks()
            }
            try scanner.expect(UInt8(ascii: "}"))
            return .map(members)
        case UInt8(ascii: "["):
            scanner.advance()
            var values: [TemplateValue] = []
            scanner.skipBlanks()
            while scanner.byte != UInt8(ascii: "]") {
                values.append(try value(&scanner, depth: depth + 1))
                scanner.skipBlanks()
                guard scanner.byte == UInt8(ascii: ",") else { break }
                scanner.advance()
            }
            try scanner.expect(UInt8(ascii: "]"))
            return .list(values)
        default:
            switch scanner.text(try scanner.word()) {
            case "true": return .bool(true)
            case "false": return .bool(false)
            case "null": return .none
            case let number:
                guard let value = Double(number) else { throw scanner.fault("no number") }
                return .double(value)
            }
        }
    }
}
