import Codecs

/// Float samples as the write-ahead log holds them: how far a row's slot is from the one before and whether its value is an integer; how far
/// its time is; the value. Byte for byte: docs/format/wal.md, "Floats".
enum FloatRowCodec {
    /// Three varints of 64 bits at most.
    private static let rowByteCountMax = 3 * Varint.byteCountMax
    /// Integers below it are exact.
    private static let integerMax = 9_007_199_254_740_992.0

    static func encode(_ batch: PreparedBatch) -> [UInt8] {
        let (slots, times, values) = (batch.floatSlots.span, batch.floatTimes.span, batch.floatValues.span)
        let count = slots.count
        return [UInt8](unsafeUninitializedCapacity: Varint.byteCountMax + count * rowByteCountMax) { output, initializedCount in
            // SAFETY: a row takes `rowByteCountMax` at most, and there is room for `count` of them behind the count.
            var writer = VarintWriter(output.baseAddress!)
            writer.put(UInt64(count))
            var (slot, time) = (Int64(0), Int64(0))
            for row in 0..<count {
                let value = values[row]
                let integer = abs(value) < integerMax ? Int64(value) : 0
                // -0 is no integer here, for it would come back as 0.
                let isInteger = Double(integer).bitPattern == value.bitPattern
                let nextSlot = Int64(slots[row])
                writer.put(Varint.zigzag(nextSlot &- slot) &<< 1 | (isInteger ? 1 : 0))
                writer.put(Varint.zigzag(times[row] &- time))
                if isInteger { writer.put(Varint.zigzag(integer)) } else { writer.putFixed(value.bitPattern) }
                (slot, time) = (nextSlot, times[row])
            }
            initializedCount = writer.offset
        }
    }

    static func decode(_ body: ByteReader, into batch: inout PreparedBatch) throws(DecodeError) {
        var body = body
        let count = try body.count("rows", byteCountMin: 3)
        batch.floatSlots.reserveCapacity(count)
        batch.floatTimes.reserveCapacity(count)
        batch.floatValues.reserveCapacity(count)
        var (slot, time) = (Int64(0), Int64(0))
        for _ in 0..<count {
            let head = try body.varint("slot")
            slot = slot &+ Varint.unzigzag(head >> 1)
            guard let exact = UInt32(exactly: slot) else { throw DecodeError(offset: body.offset, field: "slot", "beyond 32 bits") }
            time = time &+ (try body.signed("timestamp"))
            batch.floatSlots.append(exact)
            batch.floatTimes.append(time)
            batch.floatValues.append(head & 1 == 1 ? Double(try body.signed("value")) : try body.double("value"))
        }
        batch.metricSlots += batch.floatSlots
    }
}

/// Writes varints to memory that is known to be large enough.
private struct VarintWriter {
    private let start: UnsafeMutablePointer<UInt8>
    private(set) var offset = 0

    init(_ start: UnsafeMutablePointer<UInt8>) {
        self.start = start
    }

    @inline(__always)
    mutating func put(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            start[offset] = UInt8(truncatingIfNeeded: rest) | 0x80
            offset &+= 1
            rest &>>= 7
        }
        start[offset] = UInt8(truncatingIfNeeded: rest)
        offset &+= 1
    }

    @inline(__always)
    mutating func putFixed(_ bits: UInt64) {
        UnsafeMutableRawPointer(start + offset).storeBytes(of: bits.littleEndian, as: UInt64.self)
        offset &+= 8
    }
}
