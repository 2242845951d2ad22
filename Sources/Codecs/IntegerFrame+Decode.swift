extension IntegerFrame {
    /// 2^52 + 2^51: a double of that size has its lowest bit at 1, so that an integer below 2^51 in size is its bits' difference to it.
    private static let middle = 6_755_399_441_055_744.0

    /// Reads a frame.
    ///
    /// - Parameters:
    ///   - values: free for `count` (1…1,024) integers, or for the bits of as many doubles. Written also where it throws.
    ///   - asDoubles: whether each integer is written as the bits of the double of its value; exact below 2^51, as a decimal's are.
    static func read(
        _ reader: inout ColumnReader, count: Int, into values: UnsafeMutablePointer<Int64>, asDoubles: Bool
    ) throws(DecodeError) {
        let flags = try reader.byte("frame")
        guard let transform = Transform(rawValue: flags & transformMask),
            flags & ~(transformMask | isPatched | hasWidth | hasBase) == 0
        else { throw reader.failure("frame", "no frame starts with \(flags)") }
        let width = flags & hasWidth != 0 ? Int(try reader.byte("width")) : 0
        guard width <= 64 else { throw reader.failure("width", "\(width) bits, at most 64") }
        let first = transform == .plain ? 0 : try reader.signed("first")
        let base = flags & hasBase != 0 ? try reader.signed("base") : 0
        let packedCount = transform == .delta ? count &- 1 : count
        let packed = try reader.take(packedByteCount(count: packedCount, width: width), "packed")
        let patches = flags & isPatched != 0 ? try Patches(&reader, frameCount: packedCount) : nil

        if width == 0, transform != .linear {
            if let patches, transform == .delta, base == 0 {
                return fill(values, count: count, from: first, patches, asDoubles: asDoubles)
            }
            if patches == nil {
                let start = transform == .plain ? base : first
                return fill(values, count: count, from: start, step: transform == .plain ? 0 : base, asDoubles: asDoubles)
            }
        }
        if patches == nil, isInLanes(count: packedCount, width: width), width > 0 {
            switch transform {
            case .plain:
                unpackLanes(packed, count: count, width: width) { index, integer in
                    values[index] = base &+ Int64(truncatingIfNeeded: integer)
                }
                if asDoubles { convert(values, count: count) }
                return
            case .delta where sumsFit(base, width: width, count: count):
                return sumLanes(packed, count: count, width: width, first: first, base: base, into: values, asDoubles: asDoubles)
            default: break
            }
        }
        // What is packed goes where its value will be, and then everything is done in place.
        let integers = transform == .delta ? values + 1 : values
        unpack(packed, count: packedCount, width: width, into: integers)
        // SAFETY: patches stand inside the frame: their reader has looked.
        patches?.forEach { place, integer in integers[place] = integer }
        switch transform {
        case .plain: for index in 0..<count { values[index] &+= base }
        case .delta:
            var value = first
            values[0] = value
            for index in 1..<max(1, count) {
                value = value &+ values[index] &+ base
                values[index] = value
            }
        case .linear: for index in 0..<count { values[index] = values[index] &+ first &+ base &* Int64(index) }
        }
        if asDoubles { convert(values, count: count) }
    }

    /// Whether no sum of `count` differences of `base` and up to 2^`width` - 1 more leaves 32 bits.
    private static func sumsFit(_ base: Int64, width: Int, count: Int) -> Bool {
        guard width < 32, base.magnitude < 1 &<< 31 else { return false }
        return (base.magnitude &+ 1 &<< UInt64(width)) &* UInt64(count) < 1 &<< 31
    }

    // MARK: Ways to write values

    /// The bits under which `value` is written.
    @inline(__always)
    private static func pattern(_ value: Int64, _ asDoubles: Bool) -> Int64 {
        asDoubles ? Int64(bitPattern: Double(value).bitPattern) : value
    }

    /// The values of which each is `step` more than the one before.
    private static func fill(
        _ values: UnsafeMutablePointer<Int64>, count: Int, from start: Int64, step: Int64, asDoubles: Bool
    ) {
        if step == 0 { return values.initialize(repeating: pattern(start, asDoubles), count: count) }
        for index in 0..<count { values[index] = start &+ step &* Int64(truncatingIfNeeded: index) }
        if asDoubles { convert(values, count: count) }
    }

    /// A value that changes at the patches only.
    private static func fill(
        _ values: UnsafeMutablePointer<Int64>, count: Int, from start: Int64, _ patches: Patches, asDoubles: Bool
    ) {
        var (value, from) = (start, 0)
        patches.forEach { place, change in
            // SAFETY: `place` is below the number of differences, which is count - 1.
            let bits = pattern(value, asDoubles)
            for index in from..<(place &+ 1) { values[index] = bits }
            value = value &+ change
            from = place &+ 1
        }
        let bits = pattern(value, asDoubles)
        for index in from..<count { values[index] = bits }
    }

    /// Integers below 2^51 in size to the bits of doubles, in place. Without AVX-512 this is three times as fast as `Double(_:)`.
    private static func convert(_ values: UnsafeMutablePointer<Int64>, count: Int) {
        for index in 0..<count {
            let double = Double(bitPattern: UInt64(bitPattern: values[index] &+ Int64(bitPattern: middle.bitPattern))) - middle
            values[index] = Int64(bitPattern: double.bitPattern)
        }
    }

    private static func unpack(
        _ packed: UnsafePointer<UInt8>, count: Int, width: Int, into values: UnsafeMutablePointer<Int64>
    ) {
        if width == 0 {
            values.initialize(repeating: 0, count: count)
        } else if isInLanes(count: count, width: width) {
            unpackLanes(packed, count: count, width: width) { index, integer in values[index] = Int64(truncatingIfNeeded: integer) }
        } else {
            BitPacking.unpack(packed, count: count, width: width) { index, integer in values[index] = Int64(bitPattern: integer) }
        }
    }

    @inline(__always)
    private static func unpackLanes(
        _ packed: UnsafePointer<UInt8>, count: Int, width: Int, _ body: (_ index: Int, _ integer: UInt32) -> Void
    ) {
        LanePacking.withChunks(packed, count: count, width: width) { staged, room, start, here in
            LanePacking.unpack(staged, rowCount: (here &+ 3) / 4, width: width, into: room)
            for index in 0..<here { body(start &+ index, room[index]) }
        }
    }

    /// Differences in lanes whose sums stay within 32 bits: summed up in registers.
    private static func sumLanes(
        _ packed: UnsafePointer<UInt8>, count: Int, width: Int, first: Int64, base: Int64, into values: UnsafeMutablePointer<Int64>,
        asDoubles: Bool
    ) {
        values[0] = pattern(first, asDoubles)
        let base = Int32(truncatingIfNeeded: base)
        let firstDouble = Double(first)
        var sum: Int32 = 0
        LanePacking.withChunks(packed, count: count &- 1, width: width) { staged, room, start, here in
            room.withMemoryRebound(to: Int32.self, capacity: LanePacking.chunkValueCount) { sums in
                LanePacking.unpackSums(staged, rowCount: (here &+ 3) / 4, width: width, base: base, sum: &sum, into: sums)
                let output = values + (start &+ 1)
                // SAFETY: differences start..<start + here are there, so are the values one further.
                if asDoubles {
                    for index in 0..<here { output[index] = Int64(bitPattern: (firstDouble + Double(sums[index])).bitPattern) }
                } else {
                    for index in 0..<here { output[index] = first &+ Int64(sums[index]) }
                }
            }
        }
    }
}

extension LanePacking {
    /// Hands over packed integers a chunk at a time, staged, with room to unpack a chunk.
    ///
    /// - Parameters:
    ///   - packed: valid for ``byteCount(count:width:)`` bytes.
    ///   - width: 1…32.
    @inline(__always)
    static func withChunks(
        _ packed: UnsafePointer<UInt8>, count: Int, width: Int,
        _ body: (_ staged: UnsafeRawPointer, _ room: UnsafeMutablePointer<UInt32>, _ start: Int, _ count: Int) -> Void
    ) {
        // Both below a KiB, which is what the compiler puts on the stack.
        withUnsafeTemporaryAllocation(byteCount: stageByteCount, alignment: 16) { stage in
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: chunkValueCount) { room in
                guard let stage = stage.baseAddress, let room = room.baseAddress else { return }
                var start = 0
                // SAFETY: chunk n lies at n · 16 · width, since a whole one takes `width` words of each of four lanes.
                while start < count {
                    let here = min(chunkValueCount, count &- start)
                    Self.stage(packed + start / chunkValueCount &* 16 &* width, count: here, width: width, into: stage)
                    body(UnsafeRawPointer(stage), room, start, here)
                    start &+= here
                }
            }
        }
    }
}
