import Telemetry

/// The head of a file in a tar archive (POSIX.1-1988 `ustar`; sizes over 8 GiB as GNU tar writes them), so that any tar can look
/// into a backup.
struct TarHeader: Sendable, Hashable {
    static let byteCount = 512

    var path: String
    var size: Int

    init(path: String, size: Int) {
        self.path = path
        self.size = size
    }

    /// Bytes that fill the last block of a file of `size` bytes.
    static func padding(_ size: Int) -> Int { (byteCount - size % byteCount) % byteCount }

    /// - Throws: ``StoreError`` where the path is longer than the 100 bytes that the format has for it.
    func encode() throws(StoreError) -> [UInt8] {
        guard path.utf8.count <= 100 else { throw StoreError(.rejected, "the path \(path) is too long for an archive") }
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { bytes[offset + index] = byte }
        }
        put(path, at: 0)
        put("0000640\0", at: 100)
        put("0000000\0", at: 108)
        put("0000000\0", at: 116)
        if size < 1 << 33 {
            put(Self.octal(size, 11) + "\0", at: 124)
        } else {
            bytes[124] = 0x80
            for index in 0..<8 { bytes[135 - index] = UInt8(truncatingIfNeeded: size >> (8 * index)) }
        }
        put("00000000000\0", at: 136)
        put("        0", at: 148)
        put("ustar\u{0}00", at: 257)
        put(Self.octal(Self.sum(bytes), 6) + "\0 ", at: 148)
        return bytes
    }

    /// Reads a head.
    ///
    /// - Parameter offset: where it stands in the archive, for the error.
    /// - Returns: nil for the zeros that end an archive.
    static func decode(_ bytes: [UInt8], at offset: Int) throws(StoreError) -> TarHeader? {
        func damaged(_ what: String) -> StoreError { StoreError(.corrupted, "the archive is damaged at byte \(offset): \(what)") }
        guard bytes.count == byteCount else { throw damaged("it ends in the head of a file") }
        if bytes.allSatisfy({ $0 == 0 }) { return nil }
        var unsigned = bytes
        for index in 148..<156 { unsigned[index] = UInt8(ascii: " ") }
        guard let expected = number(bytes[148..<156]), expected == sum(unsigned) else { throw damaged("the checksum of a file's head is wrong") }
        guard Array(bytes[257..<262]) == Array("ustar".utf8) else { throw damaged("it is no ustar archive") }
        let size: Int?
        if bytes[124] == 0x80 {
            let value = bytes[128..<136].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            size = bytes[125..<128].allSatisfy { $0 == 0 } ? Int(exactly: value) : nil
        } else {
            size = number(bytes[124..<136])
        }
        guard let size, size >= 0 else { throw damaged("the size of a file is no number") }
        return TarHeader(path: String(decoding: bytes[..<100].prefix { $0 != 0 }, as: UTF8.self), size: size)
    }

    private static func octal(_ value: Int, _ digits: Int) -> String {
        let text = String(value, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
        let text = bytes.filter { $0 != 0 && $0 != UInt8(ascii: " ") }
        return Int(String(decoding: text, as: UTF8.self), radix: 8)
    }

    private static func sum(_ bytes: [UInt8]) -> Int { bytes.reduce(0) { $0 + Int($1) } }
}
