/// Domain names on the wire (RFC 1035, 3.1 and 4.1.4).
enum DNSName {
    /// Length-prefixed labels and the root; nil where a label is empty or longer than 63 bytes, or all are longer than 255.
    static func encode(_ name: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        let text = name.hasSuffix(".") ? String(name.dropLast()) : name
        for label in text.isEmpty ? [] : text.split(separator: ".", omittingEmptySubsequences: false) {
            guard (1...63).contains(label.utf8.count) else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: label.utf8.count))
            bytes += Array(label.utf8)
        }
        bytes.append(0)
        return bytes.count <= 255 ? bytes : nil
    }

    /// Reads a name of `message` at `offset`, which moves behind it; pointers are followed backwards only, so that they end.
    static func decode(_ message: [UInt8], at offset: inout Int) -> String? {
        var name = ""
        var position = offset
        // Each pointer leads before the one before it.
        var start = offset
        var hasJumped = false
        while message.indices.contains(position) {
            let length = Int(message[position])
            if length == 0 {
                if !hasJumped { offset = position + 1 }
                return name.isEmpty ? "." : name
            }
            if length >= 0xc0 {
                guard position + 1 < message.count else { return nil }
                let target = (length & 0x3f) << 8 | Int(message[position + 1])
                guard target < start else { return nil }
                if !hasJumped { offset = position + 2 }
                hasJumped = true
                (start, position) = (target, target)
                continue
            }
            guard length < 64, position + 1 + length <= message.count, name.utf8.count < 1_024 else { return nil }
            name += text(message[(position + 1)..<(position + 1 + length)]) + "."
            position += 1 + length
        }
        return nil
    }

    /// A label as zone files write it: what is no plain character as `\DDD`.
    private static func text(_ label: ArraySlice<UInt8>) -> String {
        var text = ""
        for byte in label {
            switch byte {
            case UInt8(ascii: "."), UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ";"),
                UInt8(ascii: "@"):
                text += "\\" + String(UnicodeScalar(byte))
            case 33...126: text.unicodeScalars.append(UnicodeScalar(byte))
            default: text += DNSRecord.escaped(byte)
            }
        }
        return text
    }
}
