import Codecs
import Telemetry

/// A file of the queue: a head, then records. Byte for byte: docs/format/queue.md.
struct QueueSegment: Sendable {
    static let headerByteCount = 28
    private static let magic: [UInt8] = Array("APUSQUE".utf8) + [1]
    private static let suffix = ".queue"

    var number: UInt64
    /// Rows of all segments before it.
    var startRowCount: UInt64
    /// Where its acknowledged records end.
    var byteCount: Int

    var start: QueuePosition { QueuePosition(segment: number, offset: Self.headerByteCount, rowCount: startRowCount) }

    static func name(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits + suffix
    }

    /// The number of a segment of that name.
    static func number(_ name: String) -> UInt64? {
        guard name.hasSuffix(suffix) else { return nil }
        return UInt64(name.dropLast(suffix.count))
    }

    var header: [UInt8] {
        var bytes = Self.magic
        bytes.append(fixed64: number)
        bytes.append(fixed64: startRowCount)
        bytes.append(fixed32: CRC32C.checksum(bytes.span))
        return bytes
    }

    /// Reads a head; nil where it is none of this segment's.
    init?(header bytes: [UInt8], number: UInt64, byteCount: Int) {
        guard bytes.count == Self.headerByteCount, bytes.starts(with: Self.magic) else { return nil }
        let span = bytes.span
        guard span.littleEndian64(at: 8) == number, span.littleEndian32(at: 24) == CRC32C.checksum(span.extracting(0..<24)) else { return nil }
        self.init(number: number, startRowCount: span.littleEndian64(at: 16), byteCount: byteCount)
    }

    init(number: UInt64, startRowCount: UInt64, byteCount: Int) {
        self.number = number
        self.startRowCount = startRowCount
        self.byteCount = byteCount
    }

    /// A record's payload: how many rows it stands for, then its bytes.
    static func payload(_ record: [UInt8], rowCount: Int) -> [UInt8] {
        var payload: [UInt8] = []
        payload.reserveCapacity(record.count + 4)
        Varint.append(UInt64(max(0, rowCount)), to: &payload)
        payload += record
        return payload
    }

    /// Reads a payload; nil where it is cut short.
    static func record(_ payload: ArraySlice<UInt8>) -> QueueRun.Record? {
        let bytes = Array(payload)
        var offset = 0
        guard let rowCount = try? Varint.read(bytes.span, at: &offset) else { return nil }
        return QueueRun.Record(bytes: Array(bytes[offset...]), rowCount: Int(clamping: rowCount))
    }
}
