import Settings

/// `decolorize`: takes the colours of terminals out of a line.
struct DecolorizeStage: Stage {
    init(_: StageOptions, _: inout StageContext) throws(ConfigurationError) {}

    mutating func process(_ entry: inout StageEntry, _: inout StageRun) -> Bool {
        if entry.line.utf8.contains(where: { $0 == 0x1b || $0 == 0xc2 }) { entry.line = TerminalText.plain(entry.line) }
        return true
    }
}

/// Text with the escape sequences of terminals (ECMA-48): colours, cursor movements, titles.
enum TerminalText {
    static func plain(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var (result, index): ([UInt8], Int) = ([], 0)
        while index < bytes.count {
            let isLong = bytes[index] == 0xc2 && index + 1 < bytes.count && bytes[index + 1] == 0x9b
            if bytes[index] == 0x1b || isLong, let end = end(bytes, index + (isLong ? 2 : 1)) {
                index = end
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Where a sequence ends whose introducer ends at `start`; nil where it is none.
    private static func end(_ bytes: [UInt8], _ start: Int) -> Int? {
        let opening = bytes[start...].prefix { "[]()#;?".utf8.contains($0) }
        // An operating system command ends in BEL.
        let command = bytes[opening.endIndex...].prefix { isWord($0) || $0 == UInt8(ascii: ";") }
        if command.endIndex < bytes.count, bytes[command.endIndex] == 0x07 { return command.endIndex + 1 }
        // Otherwise numbers and a final letter; where that is missing, the last digit ends it.
        let numbers = bytes[opening.endIndex...].prefix { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ";") }
        if numbers.first != UInt8(ascii: ";"), numbers.endIndex < bytes.count, isFinal(bytes[numbers.endIndex]) { return numbers.endIndex + 1 }
        guard let digit = numbers.lastIndex(where: { $0 != UInt8(ascii: ";") }), numbers.first != UInt8(ascii: ";") else { return nil }
        return digit + 1
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte) || (0x30...0x39).contains(byte)
    }

    private static func isFinal(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x41...0x50, UInt8(ascii: "R"), UInt8(ascii: "Z"), UInt8(ascii: "c"), UInt8(ascii: "f")...UInt8(ascii: "n"),
            UInt8(ascii: "t"), UInt8(ascii: "q"), UInt8(ascii: "r"), UInt8(ascii: "y"), UInt8(ascii: "="), UInt8(ascii: ">"),
            UInt8(ascii: "<"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
