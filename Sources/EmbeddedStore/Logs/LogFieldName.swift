/// How LogQL's `json` names a field: the names on the way to it joined by underscores, which also stand for everything but letters and digits.
enum LogFieldName {
    /// nil where the rule is not so simple: blanks around a name are left out, and names of blanks add nothing.
    static func name(_ path: [[UInt8]]) -> [UInt8]? {
        var name: [UInt8] = []
        for part in path {
            if mayBeTrimmed(part) { return nil }
            if !name.isEmpty { name.append(UInt8(ascii: "_")) }
            for byte in part {
                switch byte {
                case 0x41...0x5a, 0x61...0x7a: name.append(byte)
                case 0x30...0x39:
                    // No label begins with a digit.
                    if name.isEmpty { name.append(UInt8(ascii: "_")) }
                    name.append(byte)
                // A character is one underscore, however many bytes it has.
                case 0x80...0xbf: continue
                default: name.append(UInt8(ascii: "_"))
                }
            }
        }
        return name
    }

    /// Whether a name is empty, or begins or ends with a blank, or with a character whose first byte is that of a blank beyond ASCII.
    private static func mayBeTrimmed(_ part: [UInt8]) -> Bool {
        guard let first = part.first, let last = part.last(where: { !(0x80...0xbf).contains($0) }) else { return true }
        func mayBeBlank(_ byte: UInt8) -> Bool { byte <= 0x20 || byte == 0xc2 || byte == 0xe1 || byte == 0xe2 || byte == 0xe3 }
        return mayBeBlank(first) || ((part.last ?? 0) < 0x80 ? mayBeBlank(part.last ?? 0) : mayBeBlank(last))
    }
}
