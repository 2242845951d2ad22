import Codecs

/// How records stand in a file that only grows: `length u32, CRC32C of the payload u32, CRC32C of the header u32, payload`.
///
/// The header's checksum continues from the record's offset and the file's number, so that bytes of another place or file are
/// never taken for a record. Byte for byte: docs/format/wal.md, "Records".
enum RecordFraming {
    static let headerByteCount = 12

    /// Appends `payload` as a record that will stand at `offset` of file `number`.
    static func append(_ payload: [UInt8], to bytes: inout [UInt8], offset: Int, file number: UInt64) {
        let start = bytes.count
        bytes.append(fixed32: UInt32(payload.count))
        bytes.append(fixed32: CRC32C.checksum(payload.span))
        bytes.append(fixed32: headerChecksum(bytes, start, offset: offset, file: number))
        bytes += payload
    }

    /// What stands at an offset.
    enum Found: Equatable {
        case record(payload: Range<Int>)
        /// The header is whole, the payload is damaged or cut short; the next record would start at the end of the range.
        case damagedPayload(Range<Int>)
        /// No header starts here.
        case nothing
    }

    /// Reads the record at `offset`.
    ///
    /// - Parameter base: where in the file `bytes` begin.
    static func read(_ bytes: [UInt8], at offset: Int, file number: UInt64, base: Int = 0) -> Found {
        guard offset >= 0, bytes.count - offset >= headerByteCount else { return .nothing }
        guard fixed32(bytes, offset + 8) == headerChecksum(bytes, offset, offset: base + offset, file: number) else { return .nothing }
        let length = Int(fixed32(bytes, offset))
        let start = offset + headerByteCount
        guard length <= bytes.count - start else { return .damagedPayload(start..<start + length) }
        let payload = start..<start + length
        guard fixed32(bytes, offset + 4) == CRC32C.checksum(bytes.span.extracting(payload)) else { return .damagedPayload(payload) }
        return .record(payload: payload)
    }

    /// Why no record stands at an offset, with the checksums found and expected.
    static func explain(_ bytes: [UInt8], at offset: Int, file number: UInt64, base: Int = 0) -> String {
        guard offset >= 0, bytes.count - offset >= headerByteCount else {
            return "\(max(0, bytes.count - offset)) bytes, where the head of a record has \(headerByteCount)"
        }
        let (expectedHead, foundHead) = (fixed32(bytes, offset + 8), headerChecksum(bytes, offset, offset: base + offset, file: number))
        guard foundHead == expectedHead else { return "checksum of the head \(hex(foundHead)), expected \(hex(expectedHead))" }
        let (length, start) = (Int(fixed32(bytes, offset)), offset + headerByteCount)
        guard length <= bytes.count - start else { return "a record of \(length) bytes, of which \(bytes.count - start) are there" }
        let found = CRC32C.checksum(bytes.span.extracting(start..<start + length))
        return "checksum \(hex(found)), expected \(hex(fixed32(bytes, offset + 4)))"
    }

    /// The first offset at or after `start` where a whole record stands.
    static func nextRecord(_ bytes: [UInt8], from start: Int, file number: UInt64, base: Int = 0) -> Int? {
        var offset = start
        while offset + headerByteCount <= bytes.count {
            if case .record = read(bytes, at: offset, file: number, base: base) { return offset }
            offset += 1
        }
        return nil
    }

    private static func headerChecksum(_ bytes: [UInt8], _ start: Int, offset: Int, file number: UInt64) -> UInt32 {
        // No array: a search for the next record after damage asks this at every byte.
        let place = (number.littleEndian, UInt64(offset).littleEndian)
        let seed = withUnsafeBytes(of: place) { CRC32C.checksum($0) }
        return CRC32C.checksum(bytes.span.extracting(start..<start + 8), continuing: seed)
    }

    private static func fixed32(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        var value: UInt32 = 0
        for index in 0..<4 { value |= UInt32(bytes[offset + index]) << UInt32(8 * index) }
        return value
    }
}

/// Walks the records of a file, over damage where there is any.
struct RecordWalk {
    /// A stretch of the file that holds no record.
    struct Damage: Equatable {
        var range: Range<Int>
        /// Nothing follows it: what a crash in the middle of a write leaves.
        var isTail: Bool
    }

    /// The payloads in order.
    private(set) var payloads: [Range<Int>] = []
    private(set) var damages: [Damage] = []
    /// Where the last whole record ends.
    private(set) var end: Int

    init(_ bytes: [UInt8], from start: Int, file number: UInt64) {
        end = start
        var offset = start
        while offset < bytes.count {
            if case .record(let payload) = RecordFraming.read(bytes, at: offset, file: number) {
                payloads.append(payload)
                offset = payload.upperBound
                end = offset
                continue
            }
            guard let next = RecordFraming.nextRecord(bytes, from: offset + 1, file: number) else {
                damages.append(Damage(range: offset..<bytes.count, isTail: true))
                return
            }
            damages.append(Damage(range: offset..<next, isTail: false))
            offset = next
        }
    }
}
