/// A split-block Bloom filter over 64-bit hashes: says for sure that something is not in a set, or that it probably is.
///
/// Each hash picks one block of 256 bits by its high half and one bit in each of the block's eight words by its low half, so that asking touches a single
/// cache line. As in Apache Parquet's "Split Block Bloom Filter", after Putze, Sanders, Singler: "Cache-, Hash- and Space-Efficient Bloom Filters" (2007),
/// and Impala. Byte for byte: docs/format/columns.md, "Bloom filter".
package struct BloomFilter: Sendable, Equatable {
    /// Parquet's odd constants, one a word of a block.
    private static let salts = SIMD8<UInt32>(
        0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31)
    private static let blockByteCount = 32
    /// 32 MiB: more than any one part needs, and a limit on what a damaged count may allocate.
    private static let blockCountMax = 1 << 20

    private var blocks: [SIMD8<UInt32>]

    /// A filter of the hashes.
    ///
    /// - Parameter bitsEach: bits for each hash: 8 let 2 to 3 in 100 foreign ones pass, 12 about 1 in 200.
    package init(_ hashes: Span<UInt64>, bitsEach: Int = 10) {
        let wanted = (hashes.count &* max(1, bitsEach) &+ 255) / 256
        blocks = [SIMD8<UInt32>](repeating: .zero, count: min(max(1, wanted), Self.blockCountMax))
        for index in 0..<hashes.count { insert(hashes[index]) }
    }

    /// Adds a hash. All of its bits should be as good as random.
    package mutating func insert(_ hash: UInt64) {
        blocks[blockIndex(hash)] |= Self.mask(hash)
    }

    /// False where `hash` is not in the set; true where it is, and for a few that are not.
    package func mayContain(_ hash: UInt64) -> Bool {
        let mask = Self.mask(hash)
        return blocks[blockIndex(hash)] & mask == mask
    }

    /// The bytes that ``append(to:)`` writes.
    package var byteCount: Int {
        Varint.byteCount(UInt64(blocks.count)) + blocks.count * Self.blockByteCount
    }

    /// Appends the filter.
    package func append(to bytes: inout [UInt8]) {
        bytes.appendColumn(byteCountMax: byteCount) { writer in
            writer.varint(UInt64(blocks.count))
            for block in blocks {
                for pair in 0..<4 { writer.fixed64(UInt64(block[2 * pair]) | UInt64(block[2 * pair + 1]) << 32) }
            }
        }
    }

    /// Reads a filter at `offset` and moves `offset` behind it.
    ///
    /// - Throws: ``DecodeError`` where it is damaged or cut short; then `offset` stays.
    package init(_ bytes: Span<UInt8>, at offset: inout Int) throws(DecodeError) {
        var position = offset
        let blockCount = try Varint.read(bytes, at: &position)
        guard blockCount > 0, blockCount <= UInt64(Self.blockCountMax), Int(blockCount) * Self.blockByteCount <= bytes.count - position else {
            throw DecodeError(offset: offset, field: "filter", "\(blockCount) blocks of 32 bytes, \(bytes.count - position) bytes there")
        }
        blocks = []
        blocks.reserveCapacity(Int(blockCount))
        for _ in 0..<Int(blockCount) {
            var block = SIMD8<UInt32>.zero
            for word in 0..<8 {
                for byte in 0..<4 { block[word] |= UInt32(bytes[position + 4 * word + byte]) << UInt32(8 * byte) }
            }
            blocks.append(block)
            position += Self.blockByteCount
        }
        offset = position
    }

    /// The high half of the hash, scaled to the number of blocks: below it, since the half is below 2^32.
    private func blockIndex(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: ((hash >> 32) &* UInt64(blocks.count)) >> 32)
    }

    /// One bit in each word: the upper five bits of the low half times the word's salt say which.
    private static func mask(_ hash: UInt64) -> SIMD8<UInt32> {
        let low = SIMD8<UInt32>(repeating: UInt32(truncatingIfNeeded: hash))
        return SIMD8<UInt32>(repeating: 1) &<< ((low &* salts) &>> SIMD8<UInt32>(repeating: 27))
    }
}
