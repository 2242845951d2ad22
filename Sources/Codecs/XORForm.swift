/// Doubles that are no decimals, each XORed with the one before it; the bits that ever differ are packed.
enum XORForm {
    /// - Parameter values: valid for `count` (1…1,024) doubles.
    static func append(_ values: UnsafePointer<Double>, count: Int, to bytes: inout [UInt8]) {
        // NaNs and infinities share no bits with anything: they would widen all others.
        var notFiniteCount = 0
        for index in 0..<count where !values[index].isFinite { notFiniteCount += 1 }
        let hasExceptions = notFiniteCount > 0 && notFiniteCount * 4 <= count
        guard hasExceptions else { return appendBits(values, count: count, flags: 0, to: &bytes) }
        withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { replaced in
            withUnsafeTemporaryAllocation(of: UInt16.self, capacity: notFiniteCount) { places in
                guard let base = replaced.baseAddress else { return }
                var placeCount = 0
                // SAFETY: `replaced` has room for `count`, `places` for those counted above. There are finite values, since most are.
                var previous = 0.0
                for index in 0..<count where values[index].isFinite {
                    previous = values[index]
                    break
                }
                for index in 0..<count {
                    if values[index].isFinite {
                        previous = values[index]
                    } else {
                        places[placeCount] = UInt16(truncatingIfNeeded: index)
                        placeCount += 1
                    }
                    base[index] = previous
                }
                appendBits(base, count: count, flags: FloatFrame.hasExceptions, to: &bytes)
                FloatExceptions.append(UnsafeBufferPointer(places), of: values, to: &bytes)
            }
        }
    }

    private static func appendBits(_ values: UnsafePointer<Double>, count: Int, flags: UInt8, to bytes: inout [UInt8]) {
        var union: UInt64 = 0
        for index in 1..<max(1, count) { union |= values[index].bitPattern ^ values[index &- 1].bitPattern }
        let shift = union == 0 ? 0 : union.trailingZeroBitCount
        let width = BitPacking.width(union &>> UInt64(shift))
        bytes.appendColumn(byteCountMax: 11 + BitPacking.byteCount(count: count - 1, width: width)) { writer in
            writer.byte(FloatFrame.xor | flags)
            writer.fixed64(values[0].bitPattern)
            writer.byte(UInt8(truncatingIfNeeded: shift))
            writer.byte(UInt8(truncatingIfNeeded: width))
            if width == 0 { return }
            var packer = BitPacker(writer.next, width: width)
            for index in 1..<max(1, count) {
                packer.put((values[index].bitPattern ^ values[index &- 1].bitPattern) &>> UInt64(shift))
            }
            writer.skip(packer.finish() - writer.next)
        }
    }

    /// - Parameter values: free for `count` (1…1,024) doubles.
    static func read(
        _ reader: inout ColumnReader, count: Int, into values: UnsafeMutablePointer<Double>
    ) throws(DecodeError) {
        var bits = try reader.fixed64("first")
        let shift = Int(try reader.byte("shift"))
        let width = Int(try reader.byte("width"))
        guard shift < 64, width <= 64 - shift else { throw reader.failure("width", "\(width) bits shifted by \(shift)") }
        let packed = try reader.take(BitPacking.byteCount(count: count - 1, width: width), "packed")
        guard width > 0 else { return values.initialize(repeating: Double(bitPattern: bits), count: count) }
        values[0] = Double(bitPattern: bits)
        BitPacking.unpack(packed, count: count - 1, width: width) { index, difference in
            bits ^= difference &<< UInt64(shift)
            values[index &+ 1] = Double(bitPattern: bits)
        }
    }
}
