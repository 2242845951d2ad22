/// Texts of one length in which every place is either the same in all rows or a hexadecimal digit in lower case: trace ids, UUIDs,
/// ids with a prefix. The digits are packed, two a byte; what is constant stands once.
struct DigitPattern: Sendable, Hashable {
    /// The text, with 0 for a digit that varies.
    let text: [UInt8]
    /// The places of the digits.
    let places: [UInt8]

    static let byteCountMax = 255

    init(text: [UInt8]) {
        precondition(text.count <= Self.byteCountMax)
        self.text = text
        places = text.indices.filter { text[$0] == 0 }.map { UInt8($0) }
    }

    /// Bytes of a row.
    var stride: Int { (places.count + 1) / 2 }

    /// Digit of a value below 16, and back; 255 for what is no digit.
    static let digits: [UInt8] = Array("0123456789abcdef".utf8)
    static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }()

    /// Finds the pattern of `slices`; nil where there is none.
    init?(_ base: UnsafePointer<UInt8>, _ slices: ArraySlice<ValueSlice>) {
        guard let first = slices.first, first.count > 0, first.count <= Self.byteCountMax else { return nil }
        let count = first.count
        for slice in slices where slice.count != count { return nil }
        var differences = [UInt8](repeating: 0, count: count)
        differences.withUnsafeMutableBufferPointer { differences in
            let pattern = base + first.start
            for slice in slices {
                let text = base + slice.start
                for place in 0..<count { differences[place] |= text[place] ^ pattern[place] }
            }
        }
        var text = [UInt8](UnsafeBufferPointer(start: base + first.start, count: count))
        for place in 0..<count where differences[place] != 0 || text[place] == 0 { text[place] = 0 }
        self.init(text: text)
        guard !places.isEmpty else { return nil }
    }

    /// Packs all rows.
    ///
    /// - Returns: nil where a place that varies holds no digit.
    func pack(_ base: UnsafePointer<UInt8>, _ slices: ArraySlice<ValueSlice>) -> [UInt8]? {
        let stride = stride
        var invalid: UInt8 = 0
        let packed = [UInt8](unsafeUninitializedCapacity: stride * slices.count) { output, initializedCount in
            Self.values.withUnsafeBufferPointer { values in
                places.withUnsafeBufferPointer { places in
                    guard var next = output.baseAddress, let values = values.baseAddress, let places = places.baseAddress else { return }
                    let (pairCount, isOdd) = (self.places.count / 2, self.places.count % 2 == 1)
                    for slice in slices {
                        // SAFETY: every slice has the pattern's length (checked by `init`), and places lie inside it.
                        let text = base + slice.start
                        for pair in 0..<pairCount {
                            let high = values[Int(text[Int(places[2 &* pair])])]
                            let low = values[Int(text[Int(places[2 &* pair &+ 1])])]
                            invalid |= high | low
                            next[pair] = high &<< 4 | low & 15
                        }
                        if isOdd {
                            let high = values[Int(text[Int(places[2 &* pairCount])])]
                            invalid |= high
                            next[pairCount] = high &<< 4
                        }
                        next += stride
                    }
                }
            }
            initializedCount = stride * slices.count
        }
        return invalid & 0xf0 == 0 ? packed : nil
    }

    /// One text packed as the rows are; nil where it does not fit the pattern.
    func pack(_ value: some Collection<UInt8>) -> [UInt8]? {
        guard value.count == text.count else { return nil }
        var packed = [UInt8](repeating: 0, count: stride)
        var digit = 0
        for (place, byte) in value.enumerated() {
            if text[place] != 0 {
                guard byte == text[place] else { return nil }
                continue
            }
            let nibble = Self.values[Int(byte)]
            guard nibble < 16 else { return nil }
            packed[digit / 2] |= digit % 2 == 0 ? nibble &<< 4 : nibble
            digit += 1
        }
        return packed
    }

    /// Whether a text may have `bytes` somewhere.
    func mayContain(_ bytes: [UInt8]) -> Bool {
        let last = text.count - bytes.count
        return last >= 0 && (0...last).contains { fits(bytes, at: $0) }
    }

    /// Whether a text may have `bytes` at a place, behind which it is at least so long.
    func fits(_ bytes: [UInt8], at start: Int) -> Bool {
        for (offset, byte) in bytes.enumerated() {
            let place = text[start + offset]
            guard place == 0 ? Self.values[Int(byte)] < 16 : place == byte else { return false }
        }
        return true
    }
}
