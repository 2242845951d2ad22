/// Texts, each once, at positions in the order in which they first came; found again by their bytes.
///
/// A dictionary of strings hashes with SipHash and takes texts that Unicode calls equivalent for one; here a look-up is one pass over
/// the bytes, and a text comes back as it was.
struct TextIndex {
    /// All texts, end to end.
    private(set) var bytes: [UInt8] = []
    /// Where each text ends in ``bytes``.
    private(set) var ends: [Int] = []
    /// The hash's upper half and the position + 1; 0: free. A power of two of them, at most half taken.
    private var slots: [UInt64] = []
    /// Chosen anew in each process: nobody outside can make texts that collide.
    private let seed = TextIndex.seed

    private static let seed = UInt64.random(in: .min ... .max)
    private static let slotCountMin = 64

    var count: Int { ends.count }

    /// The bytes of the text at `position`.
    func range(_ position: Int) -> Range<Int> {
        (position == 0 ? 0 : ends[position - 1])..<ends[position]
    }

    /// The position of `text`, which is added where it is new.
    mutating func position(of text: String) -> Int {
        var text = text
        return text.withUTF8 { position(of: $0) }
    }

    private mutating func position(of text: UnsafeBufferPointer<UInt8>) -> Int {
        if ends.count * 2 >= slots.count { grow() }
        let hash = Self.hash(text, seed)
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            if slots[slot] >> 32 == hash >> 32 {
                let position = Int(slots[slot] & 0xffff_ffff) - 1
                if isEqual(text, position) { return position }
            }
            slot = (slot + 1) & mask
        }
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
        slots[slot] = (hash >> 32) << 32 | UInt64(ends.count)
        return ends.count - 1
    }

    private func isEqual(_ text: UnsafeBufferPointer<UInt8>, _ position: Int) -> Bool {
        let range = range(position)
        guard range.count == text.count else { return false }
        return bytes[range].withUnsafeBufferPointer { known in
            var index = 0
            while index < known.count {
                if known[index] != text[index] { return false }
                index += 1
            }
            return true
        }
    }

    private mutating func grow() {
        slots = [UInt64](repeating: 0, count: max(Self.slotCountMin, slots.count * 2))
        let mask = slots.count - 1
        bytes.withUnsafeBufferPointer { bytes in
            for position in ends.indices {
                let hash = Self.hash(UnsafeBufferPointer(rebasing: bytes[range(position)]), seed)
                var slot = Int(truncatingIfNeeded: hash) & mask
                while slots[slot] != 0 { slot = (slot + 1) & mask }
                slots[slot] = (hash >> 32) << 32 | UInt64(position + 1)
            }
        }
    }

    /// Eight bytes at a time through a folded 128-bit product, the last eight overlapping those before.
    private static func hash(_ text: UnsafeBufferPointer<UInt8>, _ seed: UInt64) -> UInt64 {
        let count = text.count
        var hash = seed ^ UInt64(count)
        guard let start = UnsafeRawPointer(text.baseAddress), count > 0 else { return mix(hash, 0x9e37_79b9_7f4a_7c15) }
        // SAFETY: every load ends at or before `count`.
        if count >= 8 {
            var offset = 0
            while offset + 8 < count {
                hash = mix(hash ^ start.loadUnaligned(fromByteOffset: offset, as: UInt64.self), 0x9e37_79b9_7f4a_7c15)
                offset += 8
            }
            hash ^= start.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
        } else if count >= 4 {
            let low = UInt64(start.loadUnaligned(as: UInt32.self))
            hash ^= low << 32 | UInt64(start.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
        } else {
            for byte in text { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        return mix(hash, 0xa54f_f53a_5f1d_36f1)
    }

    private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}

/// Small numbers by 64-bit keys: an open-addressing table for the few thousand keys of one block.
struct WordTable {
    private var keys: [UInt64] = []
    /// -1: free.
    private var values: [Int32] = []
    private(set) var count = 0

    init(capacity: Int) {
        var slotCount = 16
        while slotCount < capacity * 2 { slotCount *= 2 }
        keys = [UInt64](repeating: 0, count: slotCount)
        values = [Int32](repeating: -1, count: slotCount)
    }

    /// What stands under `key`; nil where nothing does.
    func value(_ key: UInt64) -> Int? {
        let slot = slot(key)
        return values[slot] >= 0 ? Int(values[slot]) : nil
    }

    /// What stands under `key`, or `new`, which then stands there.
    mutating func value(_ key: UInt64, orInsert new: Int) -> Int {
        let slot = slot(key)
        if values[slot] >= 0 { return Int(values[slot]) }
        keys[slot] = key
        values[slot] = Int32(new)
        count += 1
        if count * 2 > keys.count { grow() }
        return new
    }

    private func slot(_ key: UInt64) -> Int {
        let mask = keys.count - 1
        let product = (key ^ 0x9e37_79b9_7f4a_7c15).multipliedFullWidth(by: 0xa54f_f53a_5f1d_36f1)
        var slot = Int(truncatingIfNeeded: product.high ^ product.low) & mask
        while values[slot] >= 0, keys[slot] != key { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func grow() {
        let (oldKeys, oldValues) = (keys, values)
        keys = [UInt64](repeating: 0, count: oldKeys.count * 2)
        values = [Int32](repeating: -1, count: oldKeys.count * 2)
        for index in oldKeys.indices where oldValues[index] >= 0 {
            let slot = slot(oldKeys[index])
            keys[slot] = oldKeys[index]
            values[slot] = oldValues[index]
        }
    }
}
