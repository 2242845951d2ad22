/// Numbers by the 128-bit fingerprint of a column of integers: finds the columns that are the same without keeping them.
///
/// The fingerprint is keyed with random bits of the process's own, so that nobody can make two columns meet; by chance two of a
/// million columns do with a probability below 2^-80.
struct FingerprintTable {
    struct Fingerprint: Equatable {
        var high: UInt64
        var low: UInt64
    }

    private struct Slot {
        var fingerprint = Fingerprint(high: 0, low: 0)
        /// 0: empty; otherwise the number + 1.
        var number: UInt64 = 0
    }

    private var slots: [Slot] = []
    private var count = 0
    private let keys: (UInt64, UInt64, UInt64, UInt64)

    /// At 24 bytes a slot and half of them empty: 12 MiB. Beyond it the table starts anew, and a column may be stored once more.
    private static let countMax = 1 << 18

    init() {
        var random = SystemRandomNumberGenerator()
        keys = (random.next(), random.next(), random.next(), random.next())
    }

    /// The number known for a fingerprint.
    subscript(fingerprint: Fingerprint) -> UInt32? {
        get {
            if slots.isEmpty { return nil }
            var index = Int(truncatingIfNeeded: fingerprint.low) & (slots.count - 1)
            while slots[index].number != 0 {
                if slots[index].fingerprint == fingerprint { return UInt32(slots[index].number - 1) }
                index = (index + 1) & (slots.count - 1)
            }
            return nil
        }
        set {
            guard let number = newValue else { return }
            if count * 2 >= slots.count { grow() }
            insert(Slot(fingerprint: fingerprint, number: UInt64(number) + 1))
            count += 1
        }
    }

    private mutating func insert(_ slot: Slot) {
        var index = Int(truncatingIfNeeded: slot.fingerprint.low) & (slots.count - 1)
        while slots[index].number != 0 { index = (index + 1) & (slots.count - 1) }
        slots[index] = slot
    }

    private mutating func grow() {
        let old = count >= Self.countMax ? [] : slots
        slots = Array(repeating: Slot(), count: max(1024, old.count * 2))
        if old.isEmpty { count = 0 }
        for slot in old where slot.number != 0 { insert(slot) }
    }

    /// Two chains of folded 128-bit products (as wyhash has them; Wang Yi, 2019), two values a step.
    func fingerprint(_ values: Span<Int64>) -> Fingerprint {
        var high = keys.0 ^ UInt64(truncatingIfNeeded: values.count)
        var low = keys.1
        var index = 0
        while index + 1 < values.count {
            let (left, right) = (UInt64(bitPattern: values[index]), UInt64(bitPattern: values[index + 1]))
            high = Self.mix(left ^ keys.2, right ^ high)
            low = Self.mix(left ^ low, right ^ keys.3)
            index += 2
        }
        if index < values.count {
            let left = UInt64(bitPattern: values[index])
            high = Self.mix(left ^ keys.2, high)
            low = Self.mix(left ^ low, keys.3)
        }
        return Fingerprint(high: Self.mix(high, keys.3), low: Self.mix(low, keys.2))
    }

    @inline(__always)
    private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
