import Synchronization
package import Telemetry

/// The slots of metric series by the keys of their encoded labels: open addressing with linear probing, at most three quarters full, so that a known
/// series costs a look at one or two neighbouring entries.
///
/// A cache: it may be emptied at any time, then labels are decoded again. Entries of slots that the registry has forgotten are harmless
/// (slots are never given to another series) and are refused when their batch arrives.
package final class SeriesCache: SeriesDirectory {
    package let seed = SeriesKey.Seed.random()
    private let state = Mutex(Table())

    /// 24 bytes; `slot` is `.max` in a free entry.
    fileprivate struct Entry {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var slot: UInt32 = .max
    }

    fileprivate struct Table {
        var entries = [Entry](repeating: Entry(), count: 1 << 8)
        var count = 0

        var mask: Int { entries.count - 1 }
    }

    init() {}

    var count: Int { state.withLock { $0.count } }

    package func find(_ keys: [SeriesKey]) -> [SeriesHandle] {
        state.withLock { table in
            let mask = table.mask
            return table.entries.withUnsafeBufferPointer { entries in
                // SAFETY: every index is masked with the (power of two) count less one; a free entry always ends the walk.
                keys.map { key in
                    var index = Int(truncatingIfNeeded: key.high) & mask
                    while entries[index].slot != .max {
                        if entries[index].high == key.high, entries[index].low == key.low { return SeriesHandle(entries[index].slot) }
                        index = (index &+ 1) & mask
                    }
                    return .unknown
                }
            }
        }
    }

    /// Enters series; one that is there already gets the new slot.
    func enter(_ series: [(key: SeriesKey, slot: UInt32)]) {
        state.withLock { table in
            for (key, slot) in series { table.insert(key, slot) }
        }
    }

    /// Forgets everything.
    func removeAll() {
        state.withLock { $0 = Table() }
    }

    /// Drops the entries of slots that are gone.
    func remove(_ slots: Bitmap) {
        state.withLock { table in
            let old = table.entries
            table = Table()
            for entry in old where entry.slot != .max && !slots.contains(entry.slot) {
                table.insert(SeriesKey(high: entry.high, low: entry.low), entry.slot)
            }
        }
    }
}

extension SeriesCache.Table {
    fileprivate mutating func insert(_ key: SeriesKey, _ slot: UInt32) {
        if (count + 1) * 4 > entries.count * 3 { grow() }
        var index = Int(truncatingIfNeeded: key.high) & mask
        while entries[index].slot != .max {
            if entries[index].high == key.high, entries[index].low == key.low {
                entries[index].slot = slot
                return
            }
            index = (index &+ 1) & mask
        }
        entries[index] = SeriesCache.Entry(high: key.high, low: key.low, slot: slot)
        count += 1
    }

    private mutating func grow() {
        let old = entries
        entries = [SeriesCache.Entry](repeating: SeriesCache.Entry(), count: old.count * 2)
        for entry in old where entry.slot != .max {
            var index = Int(truncatingIfNeeded: entry.high) & mask
            while entries[index].slot != .max { index = (index &+ 1) & mask }
            entries[index] = entry
        }
    }
}
