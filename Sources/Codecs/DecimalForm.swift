/// Doubles that are integers over a power of ten, or a few steps away from it.
///
/// A double that was read from a decimal text is exactly the quotient of two integers, correctly rounded. A sum of such doubles, as a histogram's sum
/// and the CPU seconds of a process are, drifts away from it by a few steps (units in the last place); how many is kept beside the integer.
enum DecimalForm {
    /// The powers of ten that can matter: with a larger one no integer below 2^51 has a digit before the point.
    static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14]
    static let exponentMax = 14
    /// 2^51: up to here adding and subtracting ``middle`` rounds to the nearest integer.
    static let integerMax = 2_251_799_813_685_248.0
    static let middle = 6_755_399_441_055_744.0

    /// The nearest integer, for doubles below 2^51 in size; something at or beyond it for the others, NaN for NaN.
    @inline(__always)
    static func rounded(_ value: Double) -> Double {
        (value + middle) - middle
    }

    /// How many values are looked at for the exponent.
    private static let sampleCountMax = 8

    /// The power of ten that makes nearly all of a sample of `values` integers; nil where most are no decimals.
    ///
    /// - Parameter values: valid for `count` ≥ 1 doubles.
    static func exponent(_ values: UnsafePointer<Double>, count: Int) -> Int? {
        // How many values of the sample have each exponent, a byte each; the 16th byte is for those that have none.
        var counts = SIMD16<UInt8>.zero
        var finiteCount = 0
        let step = max(1, count / sampleCountMax)
        var index = step / 2
        // A sum that stands still is looked at once.
        var (last, found) = (UInt64.max, 0)
        while index < count {
            let value = values[index]
            index &+= step
            guard value.isFinite else { continue }
            finiteCount &+= 1
            if value.bitPattern != last { (last, found) = (value.bitPattern, exponent(of: value)) }
            counts[found] &+= 1
            // Random bits are the slowest to look at: four values that are no decimals will do.
            if counts[15] >= 4 { return nil }
        }
        // One in eight may be a chance hit or a miss.
        var covered = 0
        for exponent in 0...exponentMax {
            covered &+= Int(counts[exponent])
            if covered > 0, covered &* 8 >= finiteCount &* 7 { return exponent }
        }
        return nil
    }

    /// The least exponent with which `value` is a decimal; 15 where none is.
    private static func exponent(of value: Double) -> Int {
        for exponent in 0...exponentMax {
            let power = powers[exponent]
            let scaled = value * power
            let integer = rounded(scaled)
            guard abs(integer) < integerMax else { return 15 }
            // The division is dear: most exponents fall here.
            guard abs(scaled - integer) <= abs(integer) * 0x1p-40 else { continue }
            let drift = Int64(bitPattern: value.bitPattern) &- Int64(bitPattern: (integer / power).bitPattern)
            if drift == 0 { return exponent }
            // The larger the integer the nearer lies some decimal to any double: by chance fewer than one in 200 gets here.
            if drift.magnitude <= UInt64(driftMax), drift.magnitude &* UInt64(abs(integer)) < 1 &<< 44 { return exponent }
        }
        return 15
    }

    /// A sum of a million decimals may be that many steps off, and still costs less so than whole.
    private static let driftMax: Int64 = 1 << 20

    /// Appends a frame of decimals with an exponent, and says whether they were decimals at all; where not, what was appended is rubbish.
    ///
    /// - Parameter values: valid for `count` (1…1,024) doubles.
    static func append(_ values: UnsafePointer<Double>, count: Int, exponent: Int, to bytes: inout [UInt8]) -> Bool {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 &* count) { room in
            guard let integers = room.baseAddress else { return false }
            let drifts = integers + count
            let power = powers[exponent]
            var (union, wide): (UInt64, UInt64) = (0, 0)
            // SAFETY: the room holds `count` integers and as many drifts, those at first as the bits of integers.
            for index in 0..<count {
                let value = values[index]
                let integer = rounded(value * power)
                let drift = value.bitPattern &- (integer / power).bitPattern
                integers[index] = integer
                drifts[index] = Double(bitPattern: drift)
                union |= drift
                let isWide: UInt64 = abs(integer) < integerMax ? 0 : 1
                wide |= isWide
            }
            if union | wide == 0 {
                bytes.append(UInt8(truncatingIfNeeded: exponent))
                IntegerFrame.append(integers, count: count, to: &bytes)
                return true
            }
            return appendInexact(values, integers, drifts, count: count, exponent: exponent, to: &bytes)
        }
    }

    private static func appendInexact(
        _ values: UnsafePointer<Double>, _ integers: UnsafeMutablePointer<Double>, _ drifts: UnsafeMutablePointer<Double>, count: Int,
        exponent: Int, to bytes: inout [UInt8]
    ) -> Bool {
        var (driftedCount, hopelessCount) = (0, 0)
        for index in 0..<count {
            let drift = Int64(bitPattern: drifts[index].bitPattern)
            if !(abs(integers[index]) < integerMax) || drift.magnitude > UInt64(driftMax) {
                hopelessCount &+= 1
            } else if drift != 0 {
                driftedCount &+= 1
            }
        }
        // An exception takes about nine bytes, drift about three bits of each value.
        let hasDrift = driftedCount &* 9 &* 8 > count &* 3
        let exceptionCount = hopelessCount &+ (hasDrift ? 0 : driftedCount)
        guard exceptionCount &* 4 <= count, exceptionCount < count else { return false }
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: exceptionCount) { places in
            var (placeCount, first) = (0, -1)
            for index in 0..<count {
                let drift = Int64(bitPattern: drifts[index].bitPattern)
                let isHopeless = !(abs(integers[index]) < integerMax) || drift.magnitude > UInt64(driftMax)
                if isHopeless || (drift != 0 && !hasDrift) {
                    places[placeCount] = UInt16(truncatingIfNeeded: index)
                    placeCount &+= 1
                    // The neighbour's costs the least.
                    if first >= 0 { (integers[index], drifts[index]) = (integers[index &- 1], drifts[index &- 1]) }
                } else {
                    drifts[index] = Double(drift)
                    if first < 0 { first = index }
                }
            }
            for index in 0..<max(0, first) { (integers[index], drifts[index]) = (integers[first], drifts[first]) }
            bytes.append(
                UInt8(truncatingIfNeeded: exponent) | (exceptionCount > 0 ? FloatFrame.hasExceptions : 0)
                    | (hasDrift ? FloatFrame.hasDrift : 0))
            IntegerFrame.append(integers, count: count, to: &bytes)
            if hasDrift { IntegerFrame.append(drifts, count: count, to: &bytes) }
            if exceptionCount > 0 { FloatExceptions.append(UnsafeBufferPointer(places), of: values, to: &bytes) }
        }
        return true
    }

    /// Reads a frame of decimals, without its exceptions.
    ///
    /// - Parameter values: free for `count` (1…1,024) doubles.
    static func read(
        _ reader: inout ColumnReader, count: Int, exponent: Int, hasDrift: Bool, into values: UnsafeMutablePointer<Double>
    ) throws(DecodeError) {
        guard exponent <= exponentMax else { throw reader.failure("encoding", "a power of ten of \(exponent), at most \(exponentMax)") }
        // SAFETY: an integer and a double take the same room and alignment; the integers' reader leaves the bits of doubles.
        try UnsafeMutableRawPointer(values).withMemoryRebound(to: Int64.self, capacity: count) { (integers) throws(DecodeError) in
            try IntegerFrame.read(&reader, count: count, into: integers, asDoubles: true)
        }
        if exponent > 0 {
            let power = powers[exponent]
            for index in 0..<count { values[index] /= power }
        }
        guard hasDrift else { return }
        try withUnsafeTemporaryAllocation(of: Int64.self, capacity: count) { (room) throws(DecodeError) in
            guard let drifts = room.baseAddress else { return }
            // SAFETY: there is room for `count` drifts.
            try IntegerFrame.read(&reader, count: count, into: drifts, asDoubles: false)
            for index in 0..<count {
                values[index] = Double(bitPattern: values[index].bitPattern &+ UInt64(bitPattern: drifts[index]))
            }
        }
    }
}
