/// A column of doubles that comes back bit for bit: NaNs with their payload, -0, infinities.
///
/// Decimal values become integers times a power of ten (after ALP: Afroozeh, Kuffó, Boncz, SIGMOD 2023) with exceptions beside
/// them; everything else is XORed with its neighbour, and the bits that ever differ are packed. Byte for byte:
/// docs/format/columns.md, "Float column".
package enum FloatColumn {
    enum Encoding: UInt8 {
        /// One bit pattern for all.
        case constant = 0
        /// Integers × 10^-k, and exceptions.
        case decimal = 1
        /// XOR with the value before.
        case xor = 2
    }

    /// Powers of ten that a double holds exactly, as far as integers below 2^53 can use them.
    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
    ]
    /// Beyond it integers are no longer exact.
    private static let integerMax = 9_007_199_254_740_992.0

    /// Appends `values`; their count is not stored.
    package static func append(_ values: [Double], to bytes: inout [UInt8]) {
        guard let first = values.first else { return }
        if values.allSatisfy({ $0.bitPattern == first.bitPattern }) {
            bytes.append(Encoding.constant.rawValue)
            appendBits(first.bitPattern, to: &bytes)
            return
        }
        var xored: [UInt8] = []
        appendXOR(values, to: &xored)
        if let decimal = decimal(values), decimal.count < xored.count { bytes += decimal } else { bytes += xored }
    }

    /// Reads `count` values at `offset` and moves `offset` behind them.
    package static func read(_ bytes: Span<UInt8>, at offset: inout Int, count: Int) throws(DecodeError) -> [Double] {
        if count == 0 { return [] }
        guard offset < bytes.count else { throw DecodeError(offset: offset, field: "encoding", "cut short") }
        guard let encoding = Encoding(rawValue: bytes[offset]) else {
            throw DecodeError(offset: offset, field: "encoding", "\(bytes[offset]) is none of 0, 1, 2")
        }
        offset += 1
        switch encoding {
        case .constant:
            return [Double](repeating: Double(bitPattern: try readBits(bytes, at: &offset)), count: count)
        case .decimal: return try readDecimal(bytes, at: &offset, count: count)
        case .xor: return try readXOR(bytes, at: &offset, count: count)
        }
    }

    // MARK: Decimal

    /// The smallest k that makes most of a sample of `values` integers; nil where none does.
    private static func exponent(_ values: [Double]) -> Int? {
        let step = max(1, values.count / 32)
        var (best, bestHits, tried) = (0, 0, 0)
        for k in powers.indices {
            var hits = 0
            tried = 0
            for index in stride(from: 0, to: values.count, by: step) {
                tried += 1
                if integer(values[index], k) != nil { hits += 1 }
            }
            if hits > bestHits { (best, bestHits) = (k, hits) }
            if hits == tried { break }
        }
        return bestHits * 2 >= tried ? best : nil
    }

    /// The integer n for which n / 10^k is exactly `value`, bit for bit.
    @inline(__always)
    private static func integer(_ value: Double, _ k: Int) -> Int64? {
        let scaled = (value * powers[k]).rounded()
        // Also false for NaN.
        guard abs(scaled) < integerMax else { return nil }
        let integer = Int64(scaled)
        return (Double(integer) / powers[k]).bitPattern == value.bitPattern ? integer : nil
    }

    private static func decimal(_ values: [Double]) -> [UInt8]? {
        guard let k = exponent(values) else { return nil }
        var integers: [Int64] = []
        integers.reserveCapacity(values.count)
        var exceptions: [(index: Int, bits: UInt64)] = []
        for (index, value) in values.enumerated() {
            if let integer = integer(value, k) {
                integers.append(integer)
            } else {
                exceptions.append((index, value.bitPattern))
                // The neighbour's value costs the least.
                integers.append(integers.last ?? 0)
            }
        }
        var bytes = [Encoding.decimal.rawValue, UInt8(k)]
        Varint.append(UInt64(exceptions.count), to: &bytes)
        var previous = 0
        for exception in exceptions {
            Varint.append(UInt64(exception.index - previous), to: &bytes)
            previous = exception.index
            appendBits(exception.bits, to: &bytes)
        }
        IntegerColumn.append(integers, to: &bytes)
        return bytes
    }

    private static func readDecimal(_ bytes: Span<UInt8>, at offset: inout Int, count: Int) throws(DecodeError) -> [Double] {
        guard offset < bytes.count, Int(bytes[offset]) < powers.count else {
            throw DecodeError(offset: offset, field: "exponent", "cut short or above \(powers.count - 1)")
        }
        let divisor = powers[Int(bytes[offset])]
        offset += 1
        let exceptionCount = try Varint.read(bytes, at: &offset)
        guard exceptionCount <= UInt64(count) else {
            throw DecodeError(offset: offset, field: "exceptions", "\(exceptionCount) of \(count) values")
        }
        var exceptions: [(index: Int, bits: UInt64)] = []
        var index: UInt64 = 0
        for _ in 0..<exceptionCount {
            let (next, overflow) = index.addingReportingOverflow(try Varint.read(bytes, at: &offset))
            guard !overflow, next < UInt64(count) else { throw DecodeError(offset: offset, field: "exceptions", "beyond the column") }
            index = next
            exceptions.append((Int(index), try readBits(bytes, at: &offset)))
        }
        let integers = try IntegerColumn.read(bytes, at: &offset, count: count)
        var values = integers.map { Double($0) / divisor }
        for exception in exceptions { values[exception.index] = Double(bitPattern: exception.bits) }
        return values
    }

    // MARK: XOR

    private static func appendXOR(_ values: [Double], to bytes: inout [UInt8]) {
        bytes.append(Encoding.xor.rawValue)
        var start = 0
        var previous: UInt64 = 0
        while start < values.count {
            let end = min(start + IntegerColumn.frameValueCountMax, values.count)
            var (xors, union) = ([UInt64](), UInt64(0))
            xors.reserveCapacity(end - start)
            for index in start..<end {
                let bits = values[index].bitPattern
                xors.append(bits ^ previous)
                // The first one is kept apart, or it would widen all others.
                if index > start { union |= bits ^ previous }
                previous = bits
            }
            let shift = union == 0 ? 0 : union.trailingZeroBitCount
            let width = union == 0 ? 0 : 64 - union.leadingZeroBitCount - shift
            appendBits(xors[0], to: &bytes)
            bytes.append(UInt8(shift))
            bytes.append(UInt8(width))
            BitPacking.append(xors.dropFirst().map { $0 >> UInt64(shift) }, width: width, to: &bytes)
            start = end
        }
    }

    private static func readXOR(_ bytes: Span<UInt8>, at offset: inout Int, count: Int) throws(DecodeError) -> [Double] {
        var values: [Double] = []
        values.reserveCapacity(min(count, bytes.count * IntegerColumn.frameValueCountMax))
        var previous: UInt64 = 0
        while values.count < count {
            let frameCount = min(IntegerColumn.frameValueCountMax, count - values.count)
            previous ^= try readBits(bytes, at: &offset)
            values.append(Double(bitPattern: previous))
            guard bytes.count - offset >= 2 else { throw DecodeError(offset: offset, field: "frame", "cut short") }
            let (shift, width) = (bytes[offset], Int(bytes[offset + 1]))
            guard shift < 64, width <= 64 - Int(shift) else {
                throw DecodeError(offset: offset, field: "frame", "\(width) bits shifted by \(shift)")
            }
            offset += 2
            let packed = try BitPacking.read(bytes, at: offset, count: frameCount - 1, width: width)
            offset += BitPacking.byteCount(count: frameCount - 1, width: width)
            for value in packed {
                previous ^= value << UInt64(shift)
                values.append(Double(bitPattern: previous))
            }
        }
        return values
    }

    private static func appendBits(_ bits: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
    }

    private static func readBits(_ bytes: Span<UInt8>, at offset: inout Int) throws(DecodeError) -> UInt64 {
        guard bytes.count - offset >= 8 else { throw DecodeError(offset: offset, field: "value", "cut short") }
        var bits: UInt64 = 0
        for index in 0..<8 { bits |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
        offset += 8
        return bits
    }
}
