import Codecs
import Telemetry

/// The last bytes of a part: where everything else lies. Byte for byte: docs/format/parts.md, "Footer".
struct PartFooter: Sendable, Hashable {
    /// Version 3 has blocks of logs of which a reader takes the sections that it wants; of all else version 2 is the newest.
    static let logVersion: UInt8 = 3
    private static let otherVersion: UInt8 = 2

    /// The version that is written.
    static func version(_ signal: Signal) -> UInt8 { signal == .logs ? logVersion : otherVersion }

    /// `APUSPRT`, then the format's version.
    static func magic(_ version: UInt8) -> [UInt8] { Array("APUSPRT".utf8) + [version] }
    static let magicByteCount = 8

    /// The version that a file begins or ends with; nil where it is no part, or one that is not known.
    static func version(_ magic: [UInt8]) -> UInt8? {
        guard let version = magic.last, version == logVersion || version == otherVersion, magic == self.magic(version) else { return nil }
        return version
    }

    static let byteCount = 11 * 8 + 4 + 8

    var signal: Signal
    var rowCount: Int
    var chunkCount: Int
    var streamCount: Int
    var minTime: Int64
    var maxTime: Int64
    var indexOffset: Int
    var indexByteCount: Int
    var filterByteCount: Int
    var indexChecksum: UInt32
    var filterChecksum: UInt32
    /// Of the format.
    var version: UInt8

    var filterOffset: Int { indexOffset + indexByteCount }
    var range: TimeRange { TimeRange(minTime, maxTime) }
    /// How long the file must be.
    var fileByteCount: Int { filterOffset + filterByteCount + Self.byteCount }

    func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        let numbers: [UInt64] = [
            UInt64(signal.rawValue), UInt64(rowCount), UInt64(chunkCount), UInt64(streamCount), UInt64(bitPattern: minTime),
            UInt64(bitPattern: maxTime), UInt64(indexOffset), UInt64(indexByteCount), UInt64(filterByteCount),
            UInt64(indexChecksum), UInt64(filterChecksum),
        ]
        for number in numbers { bytes.append(fixed64: number) }
        bytes.append(fixed32: CRC32C.checksum(bytes.span))
        return bytes + Self.magic(version)
    }
}

extension PartFooter {
    /// Reads the footer of a file of `fileByteCount` bytes.
    init(_ bytes: [UInt8], fileByteCount: Int) throws(DecodeError) {
        guard bytes.count == Self.byteCount, let version = Self.version(Array(bytes.suffix(Self.magicByteCount))) else {
            throw DecodeError(offset: fileByteCount, field: "footer", "the file does not end as a part does: it is cut short or no part")
        }
        var reader = ByteReader(bytes)
        var numbers: [UInt64] = []
        for _ in 0..<11 { numbers.append(try reader.fixed64("footer")) }
        let expected = try reader.fixed32("checksum")
        let found = CRC32C.checksum(bytes.span.extracting(0..<88))
        guard expected == found else {
            throw DecodeError(offset: fileByteCount - Self.byteCount, field: "footer", "checksum \(hex(found)), expected \(hex(expected))")
        }
        let counts = numbers.map { Int(exactly: $0) ?? -1 }
        guard let signal = UInt8(exactly: numbers[0]).flatMap(Signal.init), counts[1] >= 0, counts[2] >= 0, counts[3] >= 0,
            [counts[6], counts[7], counts[8]].allSatisfy({ $0 >= 0 && $0 <= fileByteCount }),
            let indexChecksum = UInt32(exactly: numbers[9]), let filterChecksum = UInt32(exactly: numbers[10])
        else { throw DecodeError(offset: fileByteCount - Self.byteCount, field: "footer", "impossible numbers") }
        self.init(
            signal: signal, rowCount: counts[1], chunkCount: counts[2], streamCount: counts[3], minTime: Int64(bitPattern: numbers[4]),
            maxTime: Int64(bitPattern: numbers[5]), indexOffset: counts[6], indexByteCount: counts[7], filterByteCount: counts[8],
            indexChecksum: indexChecksum, filterChecksum: filterChecksum, version: version)
        guard self.fileByteCount == fileByteCount else {
            throw DecodeError(offset: fileByteCount, field: "footer", "the file should be \(self.fileByteCount) bytes long")
        }
    }
}

/// A checksum as messages show it.
func hex(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}
