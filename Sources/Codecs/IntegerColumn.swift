/// A column of 64-bit integers in frames of up to 1,024 values, each with the cheapest of four transforms, then bit-packed
/// above its minimum (frame of reference).
///
/// Byte for byte: docs/format/columns.md, "Integer column".
package enum IntegerColumn {
    /// PERF: 1,024-value frames decode fastest and cost within 2 % of smaller ones.
    package static let frameValueCountMax = 1024

    /// What is packed instead of the values.
    enum Transform: UInt8 {
        /// The values.
        case plain = 0
        /// The first value, then differences.
        case delta = 1
        /// The first value, the first difference, then differences of differences.
        case deltaOfDelta = 2
    }

    /// Appends `values`; their count is not stored.
    package static func append(_ values: [Int64], to bytes: inout [UInt8]) {
        var start = 0
        while start < values.count {
            let end = min(start + frameValueCountMax, values.count)
            appendFrame(values[start..<end], to: &bytes)
            start = end
        }
    }

    /// Reads `count` values at `offset` and moves `offset` behind them.
    package static func read(_ bytes: Span<UInt8>, at offset: inout Int, count: Int) throws(DecodeError) -> [Int64] {
        var values: [Int64] = []
        // Not more than the bytes could hold: a frame of 1,024 takes at least 3 bytes.
        values.reserveCapacity(min(count, (bytes.count - offset) * frameValueCountMax))
        while values.count < count {
            try readFrame(bytes, at: &offset, count: min(frameValueCountMax, count - values.count), into: &values)
        }
        return values
    }

    private static func appendFrame(_ frame: ArraySlice<Int64>, to bytes: inout [UInt8]) {
        var best: (transform: Transform, head: [Int64], minimum: Int64, packed: [UInt64], width: Int)?
        var rest = Array(frame)
        var head: [Int64] = []
        for transform in [Transform.plain, .delta, .deltaOfDelta] {
            if transform != .plain {
                guard let first = rest.first else { break }
                head.append(first)
                rest = zip(rest.dropFirst(), rest).map { $0 &- $1 }
            }
            let minimum = rest.min() ?? 0
            let packed = rest.map { UInt64(bitPattern: $0 &- minimum) }
            let width = BitPacking.width(packed)
            if best == nil || cost(width, packed.count, head.count) < cost(best!.width, best!.packed.count, best!.head.count) {
                best = (transform, head, minimum, packed, width)
            }
        }
        guard let best else { return }
        bytes.append(best.transform.rawValue)
        bytes.append(UInt8(best.width))
        for value in best.head { Varint.appendSigned(value, to: &bytes) }
        Varint.appendSigned(best.minimum, to: &bytes)
        BitPacking.append(best.packed, width: best.width, to: &bytes)
    }

    /// Bytes of a frame; a head is counted as 4 bytes.
    private static func cost(_ width: Int, _ count: Int, _ headCount: Int) -> Int {
        BitPacking.byteCount(count: count, width: width) + 4 * headCount
    }

    private static func readFrame(
        _ bytes: Span<UInt8>, at offset: inout Int, count: Int, into values: inout [Int64]
    ) throws(DecodeError) {
        guard bytes.count - offset >= 2 else { throw DecodeError(offset: offset, field: "frame", "cut short") }
        guard let transform = Transform(rawValue: bytes[offset]) else {
            throw DecodeError(offset: offset, field: "transform", "\(bytes[offset]) is none of 0, 1, 2")
        }
        let width = Int(bytes[offset + 1])
        offset += 2
        let headCount = min(Int(transform.rawValue), count)
        var head: [Int64] = []
        for _ in 0..<headCount { head.append(try Varint.readSigned(bytes, at: &offset)) }
        let minimum = try Varint.readSigned(bytes, at: &offset)
        let packedCount = count - headCount
        let packed = try BitPacking.read(bytes, at: offset, count: packedCount, width: width)
        offset += BitPacking.byteCount(count: packedCount, width: width)
        switch transform {
        case .plain:
            for value in packed { values.append(Int64(bitPattern: value) &+ minimum) }
        case .delta:
            guard var value = head.first else { return }
            values.append(value)
            for delta in packed {
                value = value &+ Int64(bitPattern: delta) &+ minimum
                values.append(value)
            }
        case .deltaOfDelta:
            guard var value = head.first else { return }
            values.append(value)
            guard head.count == 2 else { return }
            var delta = head[1]
            value = value &+ delta
            values.append(value)
            for second in packed {
                delta = delta &+ Int64(bitPattern: second) &+ minimum
                value = value &+ delta
                values.append(value)
            }
        }
    }
}
