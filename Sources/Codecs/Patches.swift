/// The few integers of a frame that its width or base cannot hold: where they stand, and what they are.
///
/// Byte for byte: docs/format/columns.md, "Patches".
struct Patches {
    private let count: Int
    private let gaps: PackedIntegers
    private let integers: PackedIntegers
    private let least: Int64

    /// Widths up to 14 share a byte with the gaps' width; 15 says that a byte of its own follows.
    private static let sharedWidthMax = 14

    /// Writes `places`, ascending, and the integers there.
    static func write(
        _ places: UnsafeBufferPointer<UInt16>, _ integers: UnsafeBufferPointer<Int64>, to writer: inout ColumnWriter
    ) {
        var (least, greatest, gapUnion, previous) = (Int64.max, Int64.min, UInt64(0), -1)
        for index in places.indices {
            least = min(least, integers[index])
            greatest = max(greatest, integers[index])
            gapUnion |= UInt64(Int(places[index]) &- previous &- 1)
            previous = Int(places[index])
        }
        let gapWidth = BitPacking.width(gapUnion)
        let width = BitPacking.width(UInt64(bitPattern: greatest &- least))
        writer.varint(UInt64(places.count))
        writer.byte(UInt8(truncatingIfNeeded: gapWidth | min(width, sharedWidthMax + 1) &<< 4))
        if width > sharedWidthMax { writer.byte(UInt8(truncatingIfNeeded: width)) }
        writer.signed(least)
        if gapWidth > 0 {
            var packer = BitPacker(writer.next, width: gapWidth)
            previous = -1
            for place in places {
                packer.put(UInt64(Int(place) &- previous &- 1))
                previous = Int(place)
            }
            writer.skip(packer.finish() - writer.next)
        }
        if width > 0 {
            var packer = BitPacker(writer.next, width: width)
            for integer in integers { packer.put(UInt64(bitPattern: integer &- least)) }
            writer.skip(packer.finish() - writer.next)
        }
    }

    /// Reads the patches of a frame of `frameCount` packed integers.
    init(_ reader: inout ColumnReader, frameCount: Int) throws(DecodeError) {
        let count = try reader.varint("patches")
        guard count <= UInt64(frameCount) else { throw reader.failure("patches", "\(count) of \(frameCount) integers") }
        self.count = Int(count)
        let widths = try reader.byte("patches")
        let gapWidth = Int(widths & 15)
        var width = Int(widths &>> 4)
        if width > Self.sharedWidthMax { width = Int(try reader.byte("patches")) }
        guard width <= 64 else { throw reader.failure("patches", "\(width) bits, at most 64") }
        least = try reader.signed("patches")
        gaps = try PackedIntegers(&reader, count: self.count, width: gapWidth)
        integers = try PackedIntegers(&reader, count: self.count, width: width)
        // Looked at once, so that nobody who takes them need look again.
        var place = -1
        for index in 0..<self.count { place &+= 1 &+ Int(gaps[index]) }
        guard place < frameCount else { throw reader.failure("patches", "the last stands at \(place) of \(frameCount)") }
    }

    /// Hands over place and integer of each patch, in the order of the places, all of which lie inside the frame.
    @inline(__always)
    func forEach(_ body: (_ place: Int, _ integer: Int64) -> Void) {
        var place = -1
        for index in 0..<count {
            place &+= 1 &+ Int(truncatingIfNeeded: gaps[index])
            body(place, least &+ Int64(bitPattern: integers[index]))
        }
    }
}

/// Bit-packed integers where they lie, read one by one.
struct PackedIntegers {
    private let start: UnsafePointer<UInt8>
    private let byteCount: Int
    private let width: Int

    /// - Parameter width: 0…64. The integers are valid as long as the reader's bytes.
    init(_ reader: inout ColumnReader, count: Int, width: Int) throws(DecodeError) {
        byteCount = BitPacking.byteCount(count: count, width: width)
        start = try reader.take(byteCount, "packed")
        self.width = width
    }

    /// The integer at an index below the count.
    @inline(__always)
    subscript(index: Int) -> UInt64 {
        BitPacking.value(start, byteCount: byteCount, at: index, width: width)
    }
}
