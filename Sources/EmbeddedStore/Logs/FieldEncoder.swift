import Codecs
import Glibc

/// Chooses how a field's values are kept, and writes them.
///
/// The first that fits: a dictionary, times, numbers, packed digits, text.
struct FieldEncoder {
    /// Codes are bytes.
    static let dictionaryCountMax = 256
    /// All texts of a dictionary: they are read with the block's head.
    private static let dictionaryByteCountMax = 8 << 10
    /// One value in so many may be an exception.
    private static let exceptionShare = 16

    private let base: UnsafePointer<UInt8>
    private let slices: ArraySlice<ValueSlice>
    private let times: () -> [Int64]

    /// - Parameters:
    ///   - base: where the buffer begins that the slices lie in.
    ///   - times: the timestamps of the values' rows, asked for where they may help.
    init(base: UnsafePointer<UInt8>, slices: ArraySlice<ValueSlice>, times: @escaping () -> [Int64]) {
        self.base = base
        self.slices = slices
        self.times = times
    }

    func encode() -> (encoding: FieldEncoding, section: [UInt8]) {
        dictionary() ?? time() ?? number() ?? digits() ?? text()
    }

    @inline(__always)
    private func bytes(_ slice: ValueSlice) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: base + slice.start, count: slice.count)
    }

    private func copy(_ slice: ValueSlice) -> [UInt8] { [UInt8](bytes(slice)) }

    // MARK: Dictionary

    private func dictionary() -> (FieldEncoding, [UInt8])? {
        let slotCount = 1024
        var entries: [ValueSlice] = []
        var byteCount = 0
        var codes = [UInt8](repeating: 0, count: slices.count)
        let isComplete = withUnsafeTemporaryAllocation(of: UInt16.self, capacity: slotCount) { slots in
            slots.initialize(repeating: .max)
            var last = -1
            for (row, slice) in slices.enumerated() {
                // Neighbours often agree.
                if last >= 0, isEqual(entries[last], slice) {
                    codes[row] = UInt8(last)
                    continue
                }
                var slot = Int(truncatingIfNeeded: hash(slice) & UInt64(slotCount - 1))
                while slots[slot] != .max, !isEqual(entries[Int(slots[slot])], slice) { slot = (slot + 1) & (slotCount - 1) }
                if slots[slot] == .max {
                    byteCount += slice.count
                    // What hardly repeats is no dictionary.
                    guard entries.count < Self.dictionaryCountMax, byteCount <= Self.dictionaryByteCountMax,
                        entries.count < 24 || entries.count * 3 < row
                    else { return false }
                    slots[slot] = UInt16(entries.count)
                    entries.append(slice)
                }
                last = Int(slots[slot])
                codes[row] = UInt8(last)
            }
            return true
        }
        guard isComplete, entries.count == 1 || entries.count * 2 <= slices.count else { return nil }
        var section: [UInt8] = []
        CodeColumn.append(codes, entryCount: entries.count, to: &section)
        return (.dictionary(entries.map(copy)), section)
    }

    @inline(__always)
    private func isEqual(_ left: ValueSlice, _ right: ValueSlice) -> Bool {
        left.count == right.count && memcmp(base + left.start, base + right.start, left.count) == 0
    }

    @inline(__always)
    private func hash(_ slice: ValueSlice) -> UInt64 {
        var hash = UInt64(truncatingIfNeeded: slice.count) &* 0x9e37_79b9_7f4a_7c15
        for byte in bytes(slice) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return hash ^ hash &>> 29
    }

    // MARK: Times

    private func time() -> (FieldEncoding, [UInt8])? {
        guard let first = slices.first, let model = TimeText.parse(bytes(first)), first.count - model.byteCount <= TimeText.zoneByteCountMax
        else { return nil }
        let zone = Array(bytes(first)[model.byteCount...])
        var parsed: [TimeText.Parsed?] = []
        parsed.reserveCapacity(slices.count)
        var (counts, badCount) = ([Int](repeating: 0, count: 10), 0)
        var hasZeros = false
        for slice in slices {
            let text = bytes(slice)
            if let time = TimeText.parse(text), text.count == time.byteCount + zone.count, text[time.byteCount...].elementsEqual(zone) {
                parsed.append(time)
                counts[time.fractionCount] += 1
                hasZeros = hasZeros || time.endsInZero
            } else {
                parsed.append(nil)
                badCount += 1
                guard mayBeException(badCount, parsed.count) else { return nil }
            }
        }
        // One count of digits for all, or whatever is left without zeros.
        let usual = counts.indices.max { counts[$0] < counts[$1] } ?? 0
        let fraction: TimeText.Fraction = counts[usual] + badCount == slices.count ? .fixed(usual) : .trimmed
        var encoding = FieldEncoding.Time(fraction: fraction, zone: zone, isRelative: false)
        var values: [Int64] = []
        values.reserveCapacity(parsed.count)
        for (place, time) in parsed.enumerated() {
            if let time, fraction != .trimmed || !time.endsInZero {
                values.append(time.nanoseconds / fraction.unit)
            } else {
                encoding.exceptions.append(place, copy(slices[slices.startIndex + place]))
                guard encoding.exceptions.byteCount <= FieldEncoding.Exceptions.byteCountMax else { return nil }
                values.append(values.last ?? model.nanoseconds / fraction.unit)
            }
        }
        guard mayBeException(encoding.exceptions.places.count, parsed.count) else { return nil }
        encoding.isRelative = Clock.relate(&values, to: times(), unit: fraction.unit)
        var section: [UInt8] = []
        IntegerColumn.append(values, to: &section)
        return (.time(encoding), section)
    }

    // MARK: Numbers

    private func number() -> (FieldEncoding, [UInt8])? {
        var parsed: [(digits: Int64, fractionCount: Int)?] = []
        parsed.reserveCapacity(slices.count)
        var (counts, badCount, zeroCount) = ([Int](repeating: 0, count: DecimalText.digitCountMax + 1), 0, 0)
        for slice in slices {
            if let number = DecimalText.parse(bytes(slice)) {
                parsed.append(number)
                counts[number.fractionCount] += 1
                if number.fractionCount > 0, number.digits % 10 == 0 { zeroCount += 1 }
            } else {
                parsed.append(nil)
                badCount += 1
                guard mayBeException(badCount, parsed.count) else { return nil }
            }
        }
        let usual = counts.indices.max { counts[$0] < counts[$1] } ?? 0
        let isFixed = counts[usual] + badCount == slices.count || zeroCount * 2 > counts[usual]
        var encoding = FieldEncoding.Number(scale: usual, isTrimmed: !isFixed, clock: nil)
        if !isFixed { encoding.scale = counts.lastIndex { $0 > 0 } ?? 0 }
        var values: [Int64] = []
        values.reserveCapacity(parsed.count)
        for (place, number) in parsed.enumerated() {
            if let number, let value = Self.integer(number, encoding) {
                values.append(value)
            } else {
                encoding.exceptions.append(place, copy(slices[slices.startIndex + place]))
                guard mayBeException(encoding.exceptions.places.count, place),
                    encoding.exceptions.byteCount <= FieldEncoding.Exceptions.byteCountMax
                else { return nil }
                values.append(values.last ?? 0)
            }
        }
        if encoding.exceptions.places.count == slices.count { return nil }
        // Seconds, milliseconds, microseconds or nanoseconds since the epoch are near the row's own timestamp.
        if let model = values.first, model > 1_000_000_000, encoding.scale <= 9 {
            let times = times()
            for exponent in [9, 6, 3, 0] where exponent >= encoding.scale {
                let unit = DecimalText.powers[exponent - encoding.scale]
                guard let first = times.first, (first / unit &- model).magnitude < UInt64(86_400_000_000_000 / unit) else { continue }
                if Clock.relate(&values, to: times, unit: unit) { encoding.clock = exponent - encoding.scale }
                break
            }
        }
        var section: [UInt8] = []
        IntegerColumn.append(values, to: &section)
        return (.number(encoding), section)
    }

    /// The integer of a number; nil where it would come back in another spelling.
    @inline(__always)
    private static func integer(_ number: (digits: Int64, fractionCount: Int), _ encoding: FieldEncoding.Number) -> Int64? {
        if number.fractionCount == encoding.scale, !encoding.isTrimmed { return number.digits }
        guard encoding.isTrimmed, number.fractionCount == 0 || number.digits % 10 != 0 else { return nil }
        let (value, overflow) = number.digits.multipliedReportingOverflow(by: DecimalText.powers[encoding.scale - number.fractionCount])
        return overflow ? nil : value
    }

    private func mayBeException(_ count: Int, _ seen: Int) -> Bool {
        count <= 2 + seen / Self.exceptionShare
    }

    // MARK: Ids and text

    private func digits() -> (FieldEncoding, [UInt8])? {
        guard let pattern = DigitPattern(base, slices), pattern.places.count * 2 >= pattern.text.count,
            let packed = pattern.pack(base, slices)
        else { return nil }
        return (.digits(pattern), packed)
    }

    private func text() -> (FieldEncoding, [UInt8]) {
        let (filter, section) = Self.text(base, slices)
        return (.text(filter), section)
    }

    /// Texts end to end behind their lengths.
    static func text(_ base: UnsafePointer<UInt8>, _ slices: ArraySlice<ValueSlice>) -> (GramFilter, [UInt8]) {
        var lengths: [Int64] = []
        lengths.reserveCapacity(slices.count)
        var plain: [UInt8] = []
        plain.reserveCapacity(slices.reduce(0) { $0 + $1.count })
        for slice in slices {
            lengths.append(Int64(slice.count))
            plain.append(contentsOf: UnsafeBufferPointer(start: base + slice.start, count: slice.count))
        }
        var section: [UInt8] = []
        IntegerColumn.append(lengths, to: &section)
        BlockCodec.appendFrame(plain, to: &section)
        return (GramFilter(base, slices), section)
    }
}

/// Integers kept as their distance from the row's own timestamp.
enum Clock {
    /// Makes `values` relative to `times` / `unit` where that makes them smaller; whether it did.
    static func relate(_ values: inout [Int64], to times: [Int64], unit: Int64) -> Bool {
        guard values.count == times.count, values.count > 1 else { return false }
        let relative = zip(values, times).map { $0 &- $1 / unit }
        guard let low = relative.min(), let high = relative.max(), let first = values.min(), let last = values.max(), high &- low >= 0,
            last &- first >= 0
        else { return false }
        // Differences from value to value are the rival.
        let step = (last &- first) / Int64(values.count)
        guard high &- low <= max(1, step) || (high &- low) < (last &- first) / 4 else { return false }
        values = relative
        return true
    }

    static func restore(_ values: inout [Int64], to times: [Int64], unit: Int64) {
        for index in values.indices where index < times.count { values[index] = values[index] &+ times[index] / unit }
    }
}
