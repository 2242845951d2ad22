/// What one pass over a frame learns about its integers: enough to choose how they are encoded.
///
/// The integers are held as doubles, which is exact below 2^51: SSE2, which every x86-64 has, knows minimum and maximum of doubles but not of
/// 64-bit integers.
struct IntegerSurvey {
    private(set) var least = Double.infinity
    private(set) var greatest = -Double.infinity
    private(set) var sum = 0.0
    /// Of the differences between neighbours; infinite where there is one value only.
    private(set) var leastDelta = Double.infinity
    private(set) var greatestDelta = -Double.infinity
    /// How many values are the same as the one before.
    private(set) var unchangedCount = 0

    /// - Parameter values: valid for `count` ≥ 1 integers.
    init(_ values: UnsafePointer<Double>, count: Int) {
        let raw = UnsafeRawPointer(values)
        var (low, high) = (SIMD2(repeating: Double.infinity), SIMD2(repeating: -Double.infinity))
        var (lowDelta, highDelta, total) = (low, high, SIMD2<Double>.zero)
        var unchanged = SIMD2<Int64>.zero
        var index = 0
        // SAFETY: a pair and the value after it lie within `count`.
        while index &+ 2 < count {
            let pair = (raw + index &* 8).loadUnaligned(as: SIMD2<Double>.self)
            let delta = (raw + index &* 8 + 8).loadUnaligned(as: SIMD2<Double>.self) - pair
            low = Self.lower(pair, low)
            high = Self.upper(pair, high)
            lowDelta = Self.lower(delta, lowDelta)
            highDelta = Self.upper(delta, highDelta)
            total += pair
            // Lanes that hold are all ones: -1.
            unchanged = unchanged &- unsafeBitCast(delta .== .zero, to: SIMD2<Int64>.self)
            index &+= 2
        }
        least = low[0] < low[1] ? low[0] : low[1]
        greatest = high[0] > high[1] ? high[0] : high[1]
        leastDelta = lowDelta[0] < lowDelta[1] ? lowDelta[0] : lowDelta[1]
        greatestDelta = highDelta[0] > highDelta[1] ? highDelta[0] : highDelta[1]
        sum = total[0] + total[1]
        unchangedCount = Int(unchanged[0] &+ unchanged[1])
        while index < count {
            let value = values[index]
            if value < least { least = value }
            if value > greatest { greatest = value }
            sum += value
            if index &+ 1 < count {
                let delta = values[index &+ 1] - value
                if delta < leastDelta { leastDelta = delta }
                if delta > greatestDelta { greatestDelta = delta }
                if delta == 0 { unchangedCount &+= 1 }
            }
            index &+= 1
        }
    }

    /// As `minpd` has it, which is what the compiler makes of it.
    @inline(__always)
    private static func lower(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> SIMD2<Double> {
        SIMD2(a[0] < b[0] ? a[0] : b[0], a[1] < b[1] ? a[1] : b[1])
    }

    @inline(__always)
    private static func upper(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> SIMD2<Double> {
        SIMD2(a[0] > b[0] ? a[0] : b[0], a[1] > b[1] ? a[1] : b[1])
    }

    /// The bits that integers from 0 to `range` (an integer below 2^53) need.
    @inline(__always)
    static func width(_ range: Double) -> Int {
        // A double's exponent is 1023 for 1 ≤ x < 2, which takes one bit.
        max(0, Int(truncatingIfNeeded: range.bitPattern &>> 52) &- 1022)
    }
}
