/// A column of 64-bit integers, in frames of up to 1,024 that each are encoded as suits what is in them: a value for all, a line with jitter
/// (timestamps), differences, seldom changes, and a few outliers beside any of them; packed at one width above their least.
///
/// Byte for byte: docs/format/columns.md, "Integer column".
package enum IntegerColumn {
    /// Longer frames would not cost less, and their widths would adapt less often.
    package static let frameValueCountMax = IntegerFrame.valueCountMax

    /// Appends `values`; their count is not stored.
    package static func append(_ values: [Int64], to bytes: inout [UInt8]) {
        append(values.span, to: &bytes)
    }

    /// Appends `values`; their count is not stored.
    package static func append(_ values: Span<Int64>, to bytes: inout [UInt8]) {
        values.withUnsafeBufferPointer { values in
            var start = 0
            while start < values.count {
                let end = min(start + frameValueCountMax, values.count)
                appendFrame(UnsafeBufferPointer(rebasing: values[start..<end]), to: &bytes)
                start = end
            }
        }
    }

    /// Reads `count` values at `offset` and moves `offset` behind them.
    package static func read(_ bytes: Span<UInt8>, at offset: inout Int, count: Int) throws(DecodeError) -> [Int64] {
        var values: [Int64] = []
        try read(bytes, at: &offset, count: count, into: &values)
        return values
    }

    /// Appends `count` values that start at `offset` to `values`, and moves `offset` behind them.
    ///
    /// - Throws: ``DecodeError`` where the bytes are damaged or cut short; then `values` and `offset` are as before.
    package static func read(
        _ bytes: Span<UInt8>, at offset: inout Int, count: Int, into values: inout [Int64]
    ) throws(DecodeError) {
        try values.appendColumn(bytes, at: &offset, count: count) { (reader, output) throws(DecodeError) in
            var start = 0
            while start < count {
                let here = min(frameValueCountMax, count - start)
                // SAFETY: `output` has room for `count` values.
                try IntegerFrame.read(&reader, count: here, into: output + start, asDoubles: false)
                start += here
            }
        }
    }

    /// Beyond it differences of doubles are not exact: ``IntegerPlan/rangeMax`` leaves room for differences of those.
    private static let spanMax: Int64 = 1 << 49

    private static func appendFrame(_ frame: UnsafeBufferPointer<Int64>, to bytes: inout [UInt8]) {
        guard let values = frame.baseAddress else { return }
        let (origin, count) = (values[0], frame.count)
        withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { room in
            guard let doubles = room.baseAddress else { return }
            // SAFETY: both hold `count` values.
            var union: Int64 = 0
            for index in 0..<count {
                let distance = values[index] &- origin
                // Of a distance within ±2^49 nothing is left above bit 49.
                union |= distance &+ spanMax
                doubles[index] =
                    Double(bitPattern: UInt64(bitPattern: distance &+ Int64(bitPattern: 0x4338_0000_0000_0000))) - 6_755_399_441_055_744.0
            }
            if union >= 0, union < spanMax &* 2 {
                IntegerFrame.append(doubles, count: count, origin: origin, to: &bytes)
            } else {
                IntegerFrame.appendWide(values, count: count, to: &bytes)
            }
        }
    }
}
