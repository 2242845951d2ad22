/// A hash table from 64-bit hashes to 32-bit indices of somebody's array: open addressing, eight bytes an entry.
///
/// The keys stay with their owner, who is asked when a hash is found: so a look-up of a known key costs one line of this table
/// and one of the owner's. (A `Dictionary` takes four to five times as long, and twice the room.)
struct ProbeTable: Sendable {
    /// `hash's 32 bits << 32 | index + 2`; 0 is free, 1 was removed.
    private var entries: [UInt64]
    private var mask: UInt64
    /// Entries that are not free: live ones and those that were removed.
    private var usedCount = 0
    private(set) var count = 0

    init() {
        entries = [UInt64](repeating: 0, count: 16)
        mask = 15
    }

    /// The bits of a hash that an entry keeps; the low ones say where it stands.
    @inline(__always)
    private static func tag(_ hash: UInt64) -> UInt64 {
        (hash ^ hash >> 32) & 0xffff_ffff
    }

    /// The index under `hash` for which `isKey` says yes.
    @inline(__always)
    func find(_ hash: UInt64, _ isKey: (UInt32) -> Bool) -> UInt32? {
        let tag = Self.tag(hash)
        return entries.withUnsafeBufferPointer { entries in
            var position = tag & mask
            while true {
                // SAFETY: `mask` is the count less one.
                let entry = entries[Int(truncatingIfNeeded: position)]
                if entry == 0 { return nil }
                if entry >> 32 == tag, entry & 0xffff_ffff >= 2 {
                    let index = UInt32(truncatingIfNeeded: entry) - 2
                    if isKey(index) { return index }
                }
                position = (position &+ 1) & mask
            }
        }
    }

    /// Adds a key that the table does not have.
    mutating func insert(_ hash: UInt64, _ index: UInt32) {
        // At most 5/8 full: probes stay short.
        if (usedCount + 1) * 8 > entries.count * 5 { rebuild() }
        place(Self.tag(hash) << 32 | UInt64(index) + 2)
        usedCount += 1
        count += 1
    }

    mutating func remove(_ hash: UInt64, _ index: UInt32) {
        let entry = Self.tag(hash) << 32 | UInt64(index) + 2
        var position = entry >> 32 & mask
        while entries[Int(position)] != 0 {
            if entries[Int(position)] == entry {
                entries[Int(position)] = 1
                count -= 1
                return
            }
            position = (position &+ 1) & mask
        }
    }

    private mutating func place(_ entry: UInt64) {
        var position = entry >> 32 & mask
        while entries[Int(position)] != 0 { position = (position &+ 1) & mask }
        entries[Int(position)] = entry
    }

    /// Makes room for as many again, and drops what was removed.
    private mutating func rebuild() {
        var capacity = 16
        while capacity * 5 < (count + 1) * 14 { capacity *= 2 }
        let old = entries
        entries = [UInt64](repeating: 0, count: capacity)
        mask = UInt64(capacity - 1)
        for entry in old where entry & 0xffff_ffff >= 2 { place(entry) }
        usedCount = count
    }
}
