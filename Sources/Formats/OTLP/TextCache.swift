import Codecs

/// Texts of one message that come again and again (attribute names, routes, statements): each is made a string once, and its repetitions
/// share its storage.
struct TextCache {
    /// Where the text first stood, and the string.
    private var entries: [(range: Range<Int>, text: String)] = []
    /// The hash's upper half and the entry's index + 1; 0: free.
    private var slots: [UInt64] = []

    /// Up to 15 bytes are held inside a string: they cost less than a look-up.
    private static let inlineByteCountMax = 15
    /// Longer texts seldom repeat.
    private static let byteCountMax = 512
    /// Of which at most half are used: beyond, new texts are not remembered, for most of them are not repeated.
    private static let slotCountMax = 1 << 13
    private static let seed = UInt64.random(in: .min ... .max)

    /// Remembers nothing.
    init() {}

    /// - Parameter byteCount: the message's; a small one gets a small table.
    init(byteCount: Int) {
        var slotCount = 64
        while slotCount < Self.slotCountMax, slotCount * 32 < byteCount { slotCount *= 2 }
        slots = [UInt64](repeating: 0, count: slotCount)
    }

    /// The content of a field as text; U+FFFD for what is no UTF-8.
    mutating func string(_ field: ProtobufField, _ name: StaticString, _ bytes: Span<UInt8>) throws(DecodeError) -> String {
        let range = try field.range(name)
        if range.count <= Self.inlineByteCountMax || range.count > Self.byteCountMax || slots.isEmpty { return bytes.text(range) }
        let hash = Self.hash(bytes, range)
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let index = Int(truncatingIfNeeded: slots[slot] & 0xffff_ffff) - 1
            if slots[slot] >> 32 == hash >> 32, Self.isEqual(bytes, entries[index].range, range) { return entries[index].text }
            slot = (slot + 1) & mask
        }
        let text = bytes.text(range)
        if entries.count * 2 < slots.count {
            entries.append((range, text))
            slots[slot] = (hash >> 32) << 32 | UInt64(entries.count)
        }
        return text
    }

    private static func isEqual(_ bytes: Span<UInt8>, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        guard left.count == right.count else { return false }
        var offset = 0
        while offset + 8 <= left.count {
            if bytes.littleEndian64(at: left.lowerBound + offset) != bytes.littleEndian64(at: right.lowerBound + offset) { return false }
            offset += 8
        }
        // Both have more than 8 bytes: the last ones overlap those before.
        return bytes.littleEndian64(at: left.upperBound - 8) == bytes.littleEndian64(at: right.upperBound - 8)
    }

    /// Eight bytes at a time through a folded 128-bit product, the last eight overlapping those before.
    private static func hash(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
        var hash = seed ^ UInt64(range.count)
        var offset = range.lowerBound
        while offset + 8 < range.upperBound {
            hash = mix(hash ^ bytes.littleEndian64(at: offset))
            offset += 8
        }
        return mix(hash ^ bytes.littleEndian64(at: range.upperBound - 8))
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return product.high ^ product.low
    }
}
