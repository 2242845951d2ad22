import Telemetry

/// The names and the head of the write-ahead log's files. Byte for byte: docs/format/wal.md, "Segments".
enum LogSegment {
    /// `APUSWAL`, then the format's version.
    static let magic: [UInt8] = Array("APUSWAL".utf8) + [1]
    static let headerByteCount = 16

    /// `00000042.wal`
    static func name(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".wal"
    }

    static func number(named name: String) -> UInt64? {
        guard name.hasSuffix(".wal") else { return nil }
        let digits = name.dropLast(4)
        guard digits.count >= 8, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return UInt64(digits)
    }

    static func header(_ number: UInt64) -> [UInt8] {
        var bytes = magic
        bytes.append(fixed64: number)
        return bytes
    }
}
