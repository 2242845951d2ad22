/// Unsigned integers of one width, end to end: value i lies at bits i·width and up of a little-endian bit stream.
package enum BitPacking {
    /// The bytes that `count` values of `width` bits take.
    package static func byteCount(count: Int, width: Int) -> Int {
        (count * width + 7) / 8
    }

    /// The bits that `value` needs: 0…64.
    package static func width(_ value: UInt64) -> Int {
        64 &- value.leadingZeroBitCount
    }

    /// The bits that the largest of `values` needs: 0…64.
    package static func width(_ values: [UInt64]) -> Int {
        var union: UInt64 = 0
        for value in values { union |= value }
        return width(union)
    }

    /// Appends `values`, each below 2^`width`.
    package static func append(_ values: [UInt64], width: Int, to bytes: inout [UInt8]) {
        precondition(width >= 0 && width <= 64)
        guard width > 0 else { return }
        bytes.appendColumn(byteCountMax: byteCount(count: values.count, width: width)) { writer in
            var packer = BitPacker(writer.next, width: width)
            for value in values { packer.put(value) }
            writer.skip(packer.finish() - writer.next)
        }
    }

    /// Reads `count` values of `width` bits from `bytes` at `offset`, which must hold ``byteCount(count:width:)`` bytes there.
    package static func read(_ bytes: Span<UInt8>, at offset: Int, count: Int, width: Int) throws(DecodeError) -> [UInt64] {
        guard width >= 0, width <= 64 else { throw DecodeError(offset: offset, field: "width", "\(width) bits, at most 64") }
        if width == 0 { return [UInt64](repeating: 0, count: count) }
        // Multiplied only once the count is known to be small.
        guard count >= 0, offset >= 0, offset <= bytes.count, count / 8 <= bytes.count - offset,
            byteCount(count: count, width: width) <= bytes.count - offset
        else {
            throw DecodeError(offset: offset, field: "packed", "\(count) values of \(width) bits, \(bytes.count - offset) bytes there")
        }
        if count == 0 { return [] }
        return bytes.withUnsafeBufferPointer { all in
            [UInt64](unsafeUninitializedCapacity: count) { output, initializedCount in
                guard let base = all.baseAddress, let target = output.baseAddress else { return }
                // SAFETY: checked above: the bytes from `offset` on that `unpack` reads exist, and `output` has room for `count`.
                unpack(base + offset, count: count, width: width) { index, value in target[index] = value }
                initializedCount = count
            }
        }
    }

    /// Hands over `count` values of `width` (1…64) bits in order; reads ``byteCount(count:width:)`` bytes at `packed`, no more.
    @inline(__always)
    static func unpack(
        _ packed: UnsafePointer<UInt8>, count: Int, width: Int, _ body: (_ index: Int, _ value: UInt64) -> Void
    ) {
        let needed = byteCount(count: count, width: width)
        let mask = UInt64.max &>> UInt64(64 &- width)
        let base = UnsafeRawPointer(packed)
        // Values whose nine bytes all exist take a whole word each; the last few are put together byte by byte.
        let quick = width > 56 ? 0 : max(0, min(count, (8 &* (needed &- 8)) / width))
        var bit = 0
        for index in 0..<quick {
            // SAFETY: bit < 8 · (needed - 8), so the word ends within the `needed` bytes.
            let word = UInt64(littleEndian: (base + bit &>> 3).loadUnaligned(as: UInt64.self))
            body(index, (word &>> UInt64(bit & 7)) & mask)
            bit &+= width
        }
        for index in quick..<max(quick, count) { body(index, value(packed, byteCount: needed, at: index, width: width)) }
    }

    /// The value at `index` of packed ones of `width` (0…64) bits, of which `byteCount` bytes exist at `packed`.
    @inline(__always)
    static func value(_ packed: UnsafePointer<UInt8>, byteCount: Int, at index: Int, width: Int) -> UInt64 {
        if width == 0 { return 0 }
        let mask = UInt64.max &>> UInt64(64 &- width)
        let bit = index &* width
        let (byte, shift) = (bit &>> 3, bit & 7)
        if byte &+ 8 <= byteCount, shift &+ width <= 64 {
            // SAFETY: the 8 bytes end within `byteCount`.
            let word = UInt64(littleEndian: (UnsafeRawPointer(packed) + byte).loadUnaligned(as: UInt64.self))
            return (word &>> UInt64(shift)) & mask
        }
        var value: UInt64 = 0
        var (position, have) = (byte, 0 &- shift)
        // SAFETY: `position` stays below `byteCount`.
        while position < byteCount, have < width {
            let next = UInt64(packed[position])
            value |= have < 0 ? next &>> UInt64(0 &- have) : next &<< UInt64(have)
            have &+= 8
            position &+= 1
        }
        return value & mask
    }
}

/// Puts values of one width end to end, a word at a time.
struct BitPacker {
    private var next: UnsafeMutablePointer<UInt8>
    private let width: UInt64
    /// What does not fill a word yet, from the lowest bit up, and how many bits that is.
    private var waiting: UInt64 = 0
    private var waitingBitCount: UInt64 = 0

    /// - Parameters:
    ///   - start: free for ``BitPacking/byteCount(count:width:)`` bytes of what will be put.
    ///   - width: 1…64.
    init(_ start: UnsafeMutablePointer<UInt8>, width: Int) {
        next = start
        self.width = UInt64(truncatingIfNeeded: width)
    }

    /// Puts `value`, which is below 2^width.
    @inline(__always)
    mutating func put(_ value: UInt64) {
        waiting |= value &<< waitingBitCount
        waitingBitCount &+= width
        if waitingBitCount >= 64 {
            UnsafeMutableRawPointer(next).storeBytes(of: waiting.littleEndian, as: UInt64.self)
            next += 8
            waitingBitCount &-= 64
            // Two shifts, because nothing may be left: then one alone would be by 64.
            waiting = (value &>> (width &- waitingBitCount &- 1)) &>> 1
        }
    }

    /// Writes what waits, and says where the bytes end.
    mutating func finish() -> UnsafeMutablePointer<UInt8> {
        while waitingBitCount > 0 {
            next.pointee = UInt8(truncatingIfNeeded: waiting)
            next += 1
            waiting &>>= 8
            waitingBitCount = waitingBitCount > 8 ? waitingBitCount &- 8 : 0
        }
        return next
    }
}
