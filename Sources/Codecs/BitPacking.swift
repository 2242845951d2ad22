/// Unsigned integers of one width, end to end: value i lies at bits i·width and up of a little-endian bit stream.
package enum BitPacking {
    /// The bytes that `count` values of `width` bits take.
    package static func byteCount(count: Int, width: Int) -> Int {
        (count * width + 7) / 8
    }

    /// The bits that the largest of `values` needs: 0…64.
    package static func width(_ values: [UInt64]) -> Int {
        var union: UInt64 = 0
        for value in values { union |= value }
        return 64 - union.leadingZeroBitCount
    }

    /// Appends `values`, each below 2^`width`.
    package static func append(_ values: [UInt64], width: Int, to bytes: inout [UInt8]) {
        precondition(width >= 0 && width <= 64)
        guard width > 0 else { return }
        // A 128-bit accumulator is not needed: at most 7 bits wait, so a value of up to 57 bits always fits; wider ones go in halves.
        var (waiting, waitingBitCount) = (UInt64(0), 0)
        func put(_ value: UInt64, _ bitCount: Int) {
            waiting |= value &<< UInt64(waitingBitCount)
            waitingBitCount += bitCount
            while waitingBitCount >= 8 {
                bytes.append(UInt8(truncatingIfNeeded: waiting))
                waiting >>= 8
                waitingBitCount -= 8
            }
        }
        for value in values {
            if width <= 56 {
                put(value, width)
            } else {
                put(value & 0xffff_ffff, 32)
                put(value >> 32, width - 32)
            }
        }
        if waitingBitCount > 0 { bytes.append(UInt8(truncatingIfNeeded: waiting)) }
    }

    /// Reads `count` values of `width` bits from `bytes` at `offset`, which must hold ``byteCount(count:width:)`` bytes there.
    package static func read(_ bytes: Span<UInt8>, at offset: Int, count: Int, width: Int) throws(DecodeError) -> [UInt64] {
        guard width >= 0, width <= 64 else { throw DecodeError(offset: offset, field: "width", "\(width) bits, at most 64") }
        if width == 0 { return [UInt64](repeating: 0, count: count) }
        let needed = byteCount(count: count, width: width)
        guard offset >= 0, needed <= bytes.count - offset else {
            throw DecodeError(offset: offset, field: "packed", "\(needed) bytes needed, \(bytes.count - offset) there")
        }
        let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) - 1
        return bytes.withUnsafeBufferPointer { all in
            // SAFETY: checked above: bytes offset..<offset + needed exist. Whole words are read only where 9 bytes are left of them.
            let base = UnsafeRawPointer(all.baseAddress!) + offset
            return [UInt64](unsafeUninitializedCapacity: count) { output, initializedCount in
                var bit = 0
                for index in 0..<count {
                    let (byte, shift) = (bit &>> 3, UInt64(bit & 7))
                    var value: UInt64
                    if byte &+ 9 <= needed {
                        value = UInt64(littleEndian: (base + byte).loadUnaligned(as: UInt64.self)) &>> shift
                        if Int(shift) &+ width > 64 { value |= UInt64((base + byte + 8).load(as: UInt8.self)) &<< (64 &- shift) }
                    } else {
                        value = 0
                        var (position, have) = (byte, -Int(shift))
                        while position < needed, have < width {
                            let next = UInt64((base + position).load(as: UInt8.self))
                            value |= have < 0 ? next >> UInt64(-have) : next << UInt64(have)
                            have += 8
                            position += 1
                        }
                    }
                    output[index] = value & mask
                    bit &+= width
                }
                initializedCount = count
            }
        }
    }
}
