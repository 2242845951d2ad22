extension IntegerFrame {
    /// 2^52: the lowest bits of 2^52 + n are n, for integers 0 ≤ n < 2^52.
    private static let shiftToBits = 4_503_599_627_370_496.0
    /// Flags, width, first value and base; then the patches' head.
    private static let headByteCountMax = 2 + 2 * Varint.byteCountMax
    private static let patchHeadByteCountMax = 3 * Varint.byteCountMax

    /// Appends a frame of integers that are held as doubles, each below 2^51.
    ///
    /// - Parameters:
    ///   - values: valid for `count` (1…1,024) integers.
    ///   - origin: what is added to each, wrapping.
    static func append(_ values: UnsafePointer<Double>, count: Int, origin: Int64 = 0, to bytes: inout [UInt8]) {
        guard let plan = IntegerPlan(values, count: count) else {
            return withUnsafeTemporaryAllocation(of: Int64.self, capacity: count) { integers in
                guard let integers = integers.baseAddress else { return }
                // SAFETY: `integers` has room for `count`.
                for index in 0..<count { (integers + index).initialize(to: Int64(values[index]) &+ origin) }
                appendWide(integers, count: count, to: &bytes)
            }
        }
        let packedCount = plan.transform == .delta ? count &- 1 : count
        let byteCountMax =
            headByteCountMax &+ packedByteCount(count: packedCount, width: plan.width)
            &+ (plan.patchCount > 0 ? patchHeadByteCountMax &+ plan.patchCount &* 10 : 0)
        bytes.appendColumn(byteCountMax: byteCountMax) { writer in
            let hasBase = plan.transform == .plain ? plan.base != 0 || origin != 0 : plan.base != 0
            writer.byte(
                plan.transform.rawValue | (plan.patchCount > 0 ? isPatched : 0) | (plan.width > 0 ? hasWidth : 0)
                    | (hasBase ? Self.hasBase : 0))
            if plan.width > 0 { writer.byte(UInt8(truncatingIfNeeded: plan.width)) }
            switch plan.transform {
            case .plain: break
            case .delta: writer.signed(Int64(values[0]) &+ origin)
            case .linear: writer.signed(Int64(plan.origin) &+ origin)
            }
            if hasBase { writer.signed(plan.transform == .plain ? Int64(plan.base) &+ origin : Int64(plan.base)) }
            if plan.patchCount > 0 {
                appendPatched(values, plan, count: packedCount, to: &writer)
            } else if plan.width > 0 {
                pack(values, plan, count: packedCount, to: &writer) { _, _ in }
            }
        }
    }

    /// Packs what the plan makes of the values, a chunk at a time. `patch` may take integers out of a chunk before it is packed.
    @inline(__always)
    private static func pack(
        _ values: UnsafePointer<Double>, _ plan: IntegerPlan, count: Int, to writer: inout ColumnWriter,
        _ patch: (_ chunk: UnsafeMutableBufferPointer<Double>, _ start: Int) -> Void
    ) {
        let isInLanes = isInLanes(count: count, width: plan.width)
        let chunkCount = LanePacking.chunkValueCount
        withUnsafeTemporaryAllocation(of: Double.self, capacity: chunkCount) { room in
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: chunkCount) { words in
                guard let integers = room.baseAddress, let words = words.baseAddress else { return }
                var start = 0
                // SAFETY: a chunk has at most `chunkCount` integers, for which both rooms suffice; what is read of `values` lies below
                // `count`, and one above it for differences, of which there are one fewer than values.
                while start < count {
                    let here = min(chunkCount, count &- start)
                    transform(values + start, plan, first: start, count: here, into: integers)
                    patch(UnsafeMutableBufferPointer(start: integers, count: here), start)
                    if isInLanes {
                        for index in 0..<here { words[index] = UInt32(truncatingIfNeeded: (integers[index] + shiftToBits).bitPattern) }
                        for index in here..<((here &+ 3) & ~3) { words[index] = 0 }
                        LanePacking.pack(words, count: here, width: plan.width, to: &writer)
                    } else if plan.width > 0 {
                        // Every chunk but the last fills whole words, so the chunks follow each other without a gap.
                        var packer = BitPacker(writer.next, width: plan.width)
                        for index in 0..<here { packer.put((integers[index] + shiftToBits).bitPattern & 0xf_ffff_ffff_ffff) }
                        writer.skip(packer.finish() - writer.next)
                    }
                    start &+= here
                }
            }
        }
    }

    @inline(__always)
    private static func transform(
        _ values: UnsafePointer<Double>, _ plan: IntegerPlan, first: Int, count: Int, into integers: UnsafeMutablePointer<Double>
    ) {
        let base = plan.base
        switch plan.transform {
        case .plain: for index in 0..<count { integers[index] = values[index] - base }
        case .delta: for index in 0..<count { integers[index] = (values[index &+ 1] - values[index]) - base }
        case .linear:
            let origin = plan.origin
            for index in 0..<count { integers[index] = (values[index] - base * Double(first &+ index)) - origin }
        }
    }

    private static func appendPatched(
        _ values: UnsafePointer<Double>, _ plan: IntegerPlan, count: Int, to writer: inout ColumnWriter
    ) {
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: plan.patchCount) { places in
            withUnsafeTemporaryAllocation(of: Int64.self, capacity: plan.patchCount) { patches in
                let limit = Double(UInt64(1) &<< UInt64(plan.width))
                var patchCount = 0
                func patch(_ chunk: UnsafeMutableBufferPointer<Double>, _ start: Int) {
                    for index in chunk.indices {
                        let integer = chunk[index]
                        if integer >= 0, integer < limit { continue }
                        // The plan has counted them; indices of buffers are checked only in debug builds.
                        precondition(patchCount < places.count, "more patches than planned")
                        places[patchCount] = UInt16(truncatingIfNeeded: start &+ index)
                        patches[patchCount] = Int64(integer)
                        patchCount &+= 1
                        chunk[index] = 0
                    }
                }
                pack(values, plan, count: count, to: &writer, patch)
                Patches.write(
                    UnsafeBufferPointer(rebasing: places[..<patchCount]), UnsafeBufferPointer(rebasing: patches[..<patchCount]), to: &writer)
            }
        }
    }

    /// Appends a frame of integers that span more than doubles can tell apart.
    ///
    /// - Parameter values: valid for `count` (1…1,024) integers.
    static func appendWide(_ values: UnsafePointer<Int64>, count: Int, to bytes: inout [UInt8]) {
        var (least, greatest) = (Int64.max, Int64.min)
        var (leastDelta, greatestDelta) = (Int64.max, Int64.min)
        for index in 0..<count {
            least = min(least, values[index])
            greatest = max(greatest, values[index])
            guard index > 0 else { continue }
            let delta = values[index] &- values[index &- 1]
            leastDelta = min(leastDelta, delta)
            greatestDelta = max(greatestDelta, delta)
        }
        let width = BitPacking.width(UInt64(bitPattern: greatest &- least))
        let deltaWidth = count > 1 ? BitPacking.width(UInt64(bitPattern: greatestDelta &- leastDelta)) : 64
        let isDelta = deltaWidth < width
        let base = isDelta ? leastDelta : least
        let (usedWidth, packedCount) = isDelta ? (deltaWidth, count &- 1) : (width, count)
        let byteCountMax = headByteCountMax &+ packedByteCount(count: packedCount, width: usedWidth)
        bytes.appendColumn(byteCountMax: byteCountMax) { writer in
            let transform: Transform = isDelta ? .delta : .plain
            writer.byte(transform.rawValue | (usedWidth > 0 ? hasWidth : 0) | (base != 0 ? hasBase : 0))
            if usedWidth > 0 { writer.byte(UInt8(truncatingIfNeeded: usedWidth)) }
            if isDelta { writer.signed(values[0]) }
            if base != 0 { writer.signed(base) }
            if usedWidth == 0 { return }
            func packed(_ index: Int) -> UInt64 {
                UInt64(bitPattern: (isDelta ? values[index &+ 1] &- values[index] : values[index]) &- base)
            }
            guard isInLanes(count: packedCount, width: usedWidth) else {
                var packer = BitPacker(writer.next, width: usedWidth)
                for index in 0..<packedCount { packer.put(packed(index)) }
                return writer.skip(packer.finish() - writer.next)
            }
            LanePacking.pack(count: packedCount, width: usedWidth, to: &writer) { UInt32(truncatingIfNeeded: packed($0)) }
        }
    }
}

extension LanePacking {
    /// Packs `count` values of `width` (1…32) bits that `value` hands over by index.
    @inline(__always)
    static func pack(count: Int, width: Int, to writer: inout ColumnWriter, _ value: (Int) -> UInt32) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: chunkValueCount) { room in
            guard let words = room.baseAddress else { return }
            var start = 0
            // SAFETY: a chunk has at most as many values as there is room for, also once it is filled up to a multiple of four.
            while start < count {
                let here = min(chunkValueCount, count &- start)
                for index in 0..<here { words[index] = value(start &+ index) }
                for index in here..<((here &+ 3) & ~3) { words[index] = 0 }
                pack(words, count: here, width: width, to: &writer)
                start &+= here
            }
        }
    }
}
