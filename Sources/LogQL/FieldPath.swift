/// A place within a JSON text: `request.headers["User-Agent"].parts[0]`.
struct FieldPath {
    enum Step: Hashable {
        case field(String)
        case element(Int)
    }

    let steps: [Step]

    /// Nil where the text is no path.
    init?(_ text: String) {
        var steps: [Step] = []
        let bytes = Array(text.utf8)
        var position = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "."):
                guard position > 0, position + 1 < bytes.count else { return nil }
                position += 1
            case UInt8(ascii: "["):
                guard let step = Self.bracket(bytes, &position) else { return nil }
                steps.append(step)
            default:
                let start = position
                while position < bytes.count, bytes[position] != UInt8(ascii: "."), bytes[position] != UInt8(ascii: "[") { position += 1 }
                steps.append(.field(String(decoding: bytes[start..<position], as: UTF8.self)))
            }
        }
        guard !steps.isEmpty else { return nil }
        self.steps = steps
    }

    private static func bracket(_ bytes: [UInt8], _ position: inout Int) -> Step? {
        guard position + 1 < bytes.count else { return nil }
        if bytes[position + 1] == UInt8(ascii: "\"") {
            guard let close = bytes[(position + 2)...].firstIndex(of: UInt8(ascii: "\"")), close + 1 < bytes.count,
                bytes[close + 1] == UInt8(ascii: "]")
            else { return nil }
            let name = String(decoding: bytes[position + 2..<close], as: UTF8.self)
            position = close + 2
            return .field(name)
        }
        guard let close = bytes[position...].firstIndex(of: UInt8(ascii: "]")),
            let index = Int(String(decoding: bytes[position + 1..<close], as: UTF8.self)), index >= 0
        else { return nil }
        position = close + 1
        return .element(index)
    }

    /// What stands there: a string unescaped, anything else as it is written; nil where there is nothing, or the text is broken before it.
    ///
    /// - Throws: ``JSONFault`` where the value itself is broken. An element of an array that is, is not there (jsonparser's `EachKey`).
    func value(in bytes: ArraySlice<UInt8>) throws(JSONFault) -> String? {
        var scanner = JSONScanner(bytes)
        guard (try? enter(&scanner)) == true else { return nil }
        do throws(JSONFault) {
            return try scanner.looseValue().map { scanner.text($0.range, isEscaped: $0.isEscaped) }
        } catch {
            if case .element? = steps.last { return nil }
            throw error
        }
    }

    /// Goes to the value; false where there is none.
    private func enter(_ scanner: inout JSONScanner) throws(JSONFault) -> Bool {
        for step in steps {
            scanner.skipBlanks()
            switch step {
            case .field(let name):
                guard scanner.byte == UInt8(ascii: "{"), try Self.enter(&scanner, field: name) else { return false }
            case .element(let index):
                guard scanner.byte == UInt8(ascii: "["), try Self.enter(&scanner, element: index) else { return false }
            }
        }
        return true
    }

    private static func enter(_ scanner: inout JSONScanner, field: String) throws(JSONFault) -> Bool {
        scanner.advance()
        scanner.skipBlanks()
        while scanner.byte == UInt8(ascii: "\"") {
            let (range, isEscaped) = try scanner.string()
            scanner.skipBlanks()
            try scanner.expect(UInt8(ascii: ":"))
            if scanner.text(range, isEscaped: isEscaped) == field { return true }
            _ = try scanner.looseValue()
            scanner.skipBlanks()
            guard scanner.byte == UInt8(ascii: ",") else { return false }
            scanner.advance()
            scanner.skipBlanks()
        }
        return false
    }

    private static func enter(_ scanner: inout JSONScanner, element: Int) throws(JSONFault) -> Bool {
        scanner.advance()
        scanner.skipBlanks()
        if scanner.byte == UInt8(ascii: "]") { return false }
        var left = element
        while left > 0 {
            _ = try scanner.looseValue()
            scanner.skipBlanks()
            guard scanner.byte == UInt8(ascii: ",") else { return false }
            scanner.advance()
            left -= 1
        }
        return true
    }
}
