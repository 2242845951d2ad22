package import Codecs
package import Telemetry

/// Loki's text form of a label set: `{job="api", zone="b"}`.
package enum LokiLabels {
    /// Reads the whole of `text`. Values stand in double quotes with Go's escapes or in back quotes without any. An escape that
    /// Go does not know is kept as it is written: python-logging-loki sends such.
    ///
    /// - Parameter offset: where `text` stands in its message, for errors.
    /// - Throws: ``DecodeError``.
    package static func parse(_ text: String, offset: Int = 0) throws(DecodeError) -> Labels {
        var parser = Parser(bytes: Array(text.utf8), start: offset)
        return try parser.labels()
    }

    private struct Parser {
        let bytes: [UInt8]
        let start: Int
        var index = 0

        init(bytes: [UInt8], start: Int) {
            self.bytes = bytes
            self.start = start
        }

        var next: UInt8? { index < bytes.count ? bytes[index] : nil }

        mutating func labels() throws(DecodeError) -> Labels {
            var labels: [Label] = []
            try expect("{")
            while true {
                skipSpace()
                if next == UInt8(ascii: "}") { break }
                let name = try name()
                try expect("=")
                labels.append(Label(name, try value()))
                skipSpace()
                if next == UInt8(ascii: ",") { index += 1 } else { break }
            }
            try expect("}")
            skipSpace()
            if next != nil { throw error("text follows the labels") }
            return Labels(labels)
        }

        private mutating func name() throws(DecodeError) -> String {
            if next == UInt8(ascii: "\"") { return try value() }
            let begin = index
            while let byte = next {
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ":"), UInt8(ascii: "."), UInt8(ascii: "-"), 0x80...:
                    index += 1
                    continue
                default: break
                }
                break
            }
            if index == begin { throw error("a label's name is missing") }
            return String(decoding: bytes[begin..<index], as: UTF8.self)
        }

        private mutating func value() throws(DecodeError) -> String {
            skipSpace()
            guard let quote = next, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "`") else {
                throw error("a label's value must stand in quotes")
            }
            let begin = index
            index += 1
            var text: [UInt8] = []
            while let byte = next {
                index += 1
                if byte == quote { return String(decoding: text, as: UTF8.self) }
                if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                    if let escaped = GoEscape.read(bytes, &index) {
                        text.append(contentsOf: escaped)
                    } else {
                        text.append(byte)
                    }
                } else {
                    text.append(byte)
                }
            }
            index = begin
            throw error("a label's value has no closing quote")
        }

        private mutating func expect(_ character: Character) throws(DecodeError) {
            skipSpace()
            guard let byte = next, byte == character.asciiValue else { throw error("expected '\(character)'") }
            index += 1
        }

        private mutating func skipSpace() {
            while let byte = next, byte == UInt8(ascii: " ") || (9...13).contains(byte) { index += 1 }
        }

        private func error(_ message: String) -> DecodeError {
            DecodeError(offset: start + index, field: "labels", message)
        }
    }
}

/// The escapes of Go's double-quoted strings (go.dev/ref/spec, "Rune literals").
enum GoEscape {
    /// The bytes of the escape whose backslash lies before `index`, which moves behind it; nil, and `index` stays, where Go
    /// knows no such escape.
    static func read(_ bytes: [UInt8], _ index: inout Int) -> [UInt8]? {
        guard index < bytes.count else { return nil }
        switch bytes[index] {
        case UInt8(ascii: "n"): return single(0x0a, &index)
        case UInt8(ascii: "t"): return single(0x09, &index)
        case UInt8(ascii: "r"): return single(0x0d, &index)
        case UInt8(ascii: "a"): return single(0x07, &index)
        case UInt8(ascii: "b"): return single(0x08, &index)
        case UInt8(ascii: "f"): return single(0x0c, &index)
        case UInt8(ascii: "v"): return single(0x0b, &index)
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): return single(bytes[index], &index)
        case UInt8(ascii: "x"):
            guard let value = digits(bytes, index + 1, 2, radix: 16) else { return nil }
            index += 3
            return [UInt8(truncatingIfNeeded: value)]
        case UInt8(ascii: "u"): return scalar(bytes, &index, 4)
        case UInt8(ascii: "U"): return scalar(bytes, &index, 8)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            guard let value = digits(bytes, index, 3, radix: 8), value < 256 else { return nil }
            index += 3
            return [UInt8(truncatingIfNeeded: value)]
        default: return nil
        }
    }

    private static func single(_ byte: UInt8, _ index: inout Int) -> [UInt8] {
        index += 1
        return [byte]
    }

    private static func scalar(_ bytes: [UInt8], _ index: inout Int, _ count: Int) -> [UInt8]? {
        guard let value = digits(bytes, index + 1, count, radix: 16), let scalar = Unicode.Scalar(value) else { return nil }
        index += 1 + count
        return Array(String(Character(scalar)).utf8)
    }

    private static func digits(_ bytes: [UInt8], _ start: Int, _ count: Int, radix: UInt32) -> UInt32? {
        guard start + count <= bytes.count else { return nil }
        var value = UInt32(0)
        for byte in bytes[start..<(start + count)] {
            guard let digit = Hex.value(byte), UInt32(digit) < radix else { return nil }
            value = value &* radix &+ UInt32(digit)
        }
        return value
    }
}
