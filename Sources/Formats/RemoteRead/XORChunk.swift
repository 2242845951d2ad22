/// A chunk of float samples as Prometheus encodes it (tsdb/docs/format/chunks.md, "XOR chunk data"; Pelkonen et al., "Gorilla", 2015, 4.1).
struct XORChunk {
    /// Prometheus' own chunks hold so many.
    static let sampleCountMax = 120

    private var bits = BitWriter()
    private var count: UInt16 = 0
    private var timestamp: Int64 = 0
    private var delta: UInt64 = 0
    private var value: UInt64 = 0
    /// Of the last value that had its own window; nil: none had.
    private var window: (leading: Int, trailing: Int)?

    /// The chunk's data, with the number of samples in front.
    var bytes: [UInt8] { [UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)] + bits.bytes }

    /// Adds a sample; times must not go back, and at most ``sampleCountMax`` are added.
    mutating func append(_ time: Int64, _ newValue: Double) {
        let new = newValue.bitPattern
        switch count {
        case 0:
            bits.appendVarint(UInt64(bitPattern: (time &<< 1) ^ (time &>> 63)))
            bits.append(new, count: 64)
        case 1:
            delta = UInt64(bitPattern: time &- timestamp)
            bits.appendVarint(delta)
            append(new ^ value)
        default:
            let next = UInt64(bitPattern: time &- timestamp)
            append(deltaOfDelta: Int64(bitPattern: next &- delta))
            delta = next
            append(new ^ value)
        }
        (timestamp, value) = (time, new)
        count &+= 1
    }

    private mutating func append(deltaOfDelta: Int64) {
        let raw = UInt64(bitPattern: deltaOfDelta)
        func fits(_ width: Int64) -> Bool { deltaOfDelta >= -((1 << (width - 1)) - 1) && deltaOfDelta <= 1 << (width - 1) }
        if deltaOfDelta == 0 {
            bits.append(0, count: 1)
        } else if fits(14) {
            bits.append(0b10, count: 2)
            bits.append(raw, count: 14)
        } else if fits(17) {
            bits.append(0b110, count: 3)
            bits.append(raw, count: 17)
        } else if fits(20) {
            bits.append(0b1110, count: 4)
            bits.append(raw, count: 20)
        } else {
            bits.append(0b1111, count: 4)
            bits.append(raw, count: 64)
        }
    }

    private mutating func append(_ difference: UInt64) {
        guard difference != 0 else {
            bits.append(0, count: 1)
            return
        }
        bits.append(1, count: 1)
        let leading = min(difference.leadingZeroBitCount, 31)
        let trailing = difference.trailingZeroBitCount
        if let window, leading >= window.leading, trailing >= window.trailing {
            bits.append(0, count: 1)
            bits.append(difference >> UInt64(window.trailing), count: 64 - window.leading - window.trailing)
            return
        }
        window = (leading, trailing)
        let significant = 64 - leading - trailing
        bits.append(1, count: 1)
        bits.append(UInt64(leading), count: 5)
        // 64 does not fit into six bits: it is written as 0, which no difference has.
        bits.append(UInt64(significant), count: 6)
        bits.append(difference >> UInt64(trailing), count: significant)
    }
}

/// Appends bits, the most significant one of each byte first.
private struct BitWriter {
    private(set) var bytes: [UInt8] = []
    /// Bits free in the last byte.
    private var free = 0

    /// The lowest `count` bits of `value`, the highest of them first.
    mutating func append(_ value: UInt64, count: Int) {
        var left = count
        while left > 0 {
            if free == 0 {
                bytes.append(0)
                free = 8
            }
            let width = min(free, left)
            let piece = (value >> UInt64(left - width)) & ((1 << UInt64(width)) - 1)
            bytes[bytes.count - 1] |= UInt8(truncatingIfNeeded: piece << UInt64(free - width))
            free -= width
            left -= width
        }
    }

    mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(rest & 0x7f | 0x80, count: 8)
            rest >>= 7
        }
        append(rest, count: 8)
    }
}
