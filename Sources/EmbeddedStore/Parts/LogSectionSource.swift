import Codecs

/// Where the sections of a block of logs come from: bytes at hand, or the file, section by section.
struct LogSectionSource {
    /// Reads bytes of the block, which its section's checksum is held against.
    typealias Load = (Range<Int>) throws(DecodeError) -> [UInt8]

    private let bytes: [UInt8]
    /// Where the block begins in ``bytes``.
    private let start: Int
    private let load: Load?

    /// A block that lies in `bytes` as a whole.
    init(_ bytes: [UInt8], at start: Int) {
        (self.bytes, self.start, load) = (bytes, start, nil)
    }

    init(_ load: @escaping Load) {
        (bytes, start, self.load) = ([], 0, load)
    }

    /// A reader of a section.
    func section(_ section: LogBlockOutline.Section, _ outline: LogBlockOutline) throws(DecodeError) -> ByteReader {
        let range = outline.range(section)
        if let load {
            if range.isEmpty { return ByteReader([]) }
            let loaded = try load(range)
            let found = CRC32C.checksum(loaded.span)
            guard let expected = outline.checksum(section), loaded.count == range.count, found == expected else {
                throw DecodeError(
                    offset: range.lowerBound, field: "section",
                    "checksum \(hex(found)), expected \(hex(outline.checksum(section) ?? 0))")
            }
            return ByteReader(loaded)
        }
        guard range.upperBound <= bytes.count - start else {
            throw DecodeError(offset: start + range.lowerBound, field: "section", "cut short")
        }
        return ByteReader(bytes, start + range.lowerBound..<start + range.upperBound)
    }
}
