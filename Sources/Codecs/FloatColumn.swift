/// A column of doubles that comes back bit for bit: NaNs with their payload, -0, infinities.
///
/// Decimal values become integers times a power of ten (after ALP: Afroozeh, Kuffó, Boncz, SIGMOD 2023), which are encoded as an integer column's
/// are; sums of decimals carry beside them how many steps of a double they have drifted; what is neither is XORed with its neighbour. The few
/// values that do not fit (staleness markers) are exceptions. Byte for byte: docs/format/columns.md, "Float column".
package enum FloatColumn {
    /// Appends `values`; their count is not stored.
    package static func append(_ values: [Double], to bytes: inout [UInt8]) {
        append(values.span, to: &bytes)
    }

    /// Appends `values`; their count is not stored.
    package static func append(_ values: Span<Double>, to bytes: inout [UInt8]) {
        guard values.count > 0 else { return }
        let start = bytes.count
        values.withUnsafeBufferPointer { values in
            guard let base = values.baseAddress else { return }
            var neverDecreases = true
            var first = 0
            // SAFETY: frames lie inside `values`; a later frame is surveyed from the value before it on.
            while first < values.count {
                let count = min(FloatFrame.valueCountMax, values.count - first)
                if first > 0, !(base[first] >= base[first - 1]) { neverDecreases = false }
                let survey = FloatFrame.append(base + first, count: count, to: &bytes)
                if survey.decreases { neverDecreases = false }
                first += count
            }
            if neverDecreases { bytes[start] |= FloatFrame.neverDecreases }
        }
    }

    /// Reads `count` values at `offset` and moves `offset` behind them.
    package static func read(_ bytes: Span<UInt8>, at offset: inout Int, count: Int) throws(DecodeError) -> [Double] {
        var values: [Double] = []
        try read(bytes, at: &offset, count: count, into: &values)
        return values
    }

    /// Appends `count` values that start at `offset` to `values`, and moves `offset` behind them.
    ///
    /// - Throws: ``DecodeError`` where the bytes are damaged or cut short; then `values` and `offset` are as before.
    package static func read(
        _ bytes: Span<UInt8>, at offset: inout Int, count: Int, into values: inout [Double]
    ) throws(DecodeError) {
        try values.appendColumn(bytes, at: &offset, count: count) { (reader, output) throws(DecodeError) in
            var start = 0
            while start < count {
                let here = min(FloatFrame.valueCountMax, count - start)
                // SAFETY: `output` has room for `count` values.
                try FloatFrame.read(&reader, count: here, into: output + start)
                start += here
            }
        }
    }

    /// Whether each value of the column at `offset` is known to be at least the one before it: then a counter has not been reset inside, and its
    /// increase is the last value minus the first. One byte is looked at.
    package static func neverDecreases(_ bytes: Span<UInt8>, at offset: Int) -> Bool {
        offset >= 0 && offset < bytes.count && bytes[offset] & FloatFrame.neverDecreases != 0
    }
}
