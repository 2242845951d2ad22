/// The doubles of a frame that its form cannot hold, whole: where they stand, and their bits.
///
/// Byte for byte: docs/format/columns.md, "Exceptions".
enum FloatExceptions {
    private static let isOneValue: UInt8 = 0b1000_0000

    /// Appends `values` at `places`, ascending and not empty.
    static func append(_ places: UnsafeBufferPointer<UInt16>, of values: UnsafePointer<Double>, to bytes: inout [UInt8]) {
        bytes.appendColumn(byteCountMax: Varint.byteCountMax + 1 + places.count * 10 + 8) { writer in
            var (previous, gapUnion, difference) = (-1, UInt64(0), UInt64(0))
            let first = values[Int(places[0])].bitPattern
            for place in places {
                gapUnion |= UInt64(Int(place) &- previous &- 1)
                difference |= values[Int(place)].bitPattern ^ first
                previous = Int(place)
            }
            let gapWidth = BitPacking.width(gapUnion)
            writer.varint(UInt64(places.count))
            writer.byte(UInt8(gapWidth) | (difference == 0 ? isOneValue : 0))
            if gapWidth > 0 {
                var packer = BitPacker(writer.next, width: gapWidth)
                previous = -1
                for place in places {
                    packer.put(UInt64(Int(place) &- previous &- 1))
                    previous = Int(place)
                }
                writer.skip(packer.finish() - writer.next)
            }
            // Staleness markers are all alike.
            for place in difference == 0 ? places[..<1] : places[...] { writer.fixed64(values[Int(place)].bitPattern) }
        }
    }

    /// Reads exceptions and puts them where they belong among `count` values.
    static func read(
        _ reader: inout ColumnReader, count: Int, into values: UnsafeMutablePointer<Double>
    ) throws(DecodeError) {
        let exceptionCount = try reader.varint("exceptions")
        guard exceptionCount <= UInt64(count) else { throw reader.failure("exceptions", "\(exceptionCount) of \(count) values") }
        let head = try reader.byte("exceptions")
        let gapWidth = Int(head & ~isOneValue)
        guard gapWidth <= 15 else { throw reader.failure("exceptions", "places of \(gapWidth) bits, at most 15") }
        let gaps = try PackedIntegers(&reader, count: Int(exceptionCount), width: gapWidth)
        var place = -1
        let only = head & isOneValue != 0 ? try reader.fixed64("exceptions") : nil
        for index in 0..<Int(exceptionCount) {
            place += 1 + Int(gaps[index])
            guard place < count else { throw reader.failure("exceptions", "one stands at \(place) of \(count) values") }
            if let only { values[place] = Double(bitPattern: only) } else { values[place] = Double(bitPattern: try reader.fixed64("exceptions")) }
        }
    }
}
