import Codecs
import Telemetry

/// The names and the head of the write-ahead log's files. Byte for byte: docs/format/wal.md, "Segments".
struct LogSegment: Sendable, Hashable {
    /// `APUSWAL`, then the format's version.
    static let magic: [UInt8] = Array("APUSWAL".utf8) + [1]
    static let headerByteCount = 36

    var number: UInt64
    /// The last segment before it with anything acknowledged (0: none), and where that ends. What lies behind that end, and in
    /// segments between the two, was refused: a failed write left it there.
    var previous: Position

    /// A place in the log.
    struct Position: Sendable, Hashable {
        var number: UInt64 = 0
        var byteCount = 0
    }

    var header: [UInt8] {
        var bytes = Self.magic
        bytes.append(fixed64: number)
        bytes.append(fixed64: previous.number)
        bytes.append(fixed64: UInt64(previous.byteCount))
        bytes.append(fixed32: CRC32C.checksum(bytes.span))
        return bytes
    }

    init(number: UInt64, previous: Position) {
        self.number = number
        self.previous = previous
    }

    /// Reads a head; nil where it is none of segment `number`.
    init?(_ bytes: [UInt8], number: UInt64) {
        guard bytes.count >= Self.headerByteCount else { return nil }
        let header = Array(bytes[..<Self.headerByteCount])
        var reader = ByteReader(header)
        do {
            guard Array(header[try reader.take(8, "magic")]) == Self.magic, try reader.fixed64("number") == number else { return nil }
            let previousNumber = try reader.fixed64("previous")
            guard let previousByteCount = Int(exactly: try reader.fixed64("previous size")),
                try reader.fixed32("checksum") == CRC32C.checksum(header.span.extracting(0..<Self.headerByteCount - 4))
            else { return nil }
            self.init(number: number, previous: Position(number: previousNumber, byteCount: previousByteCount))
        } catch {
            return nil
        }
    }

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
}
