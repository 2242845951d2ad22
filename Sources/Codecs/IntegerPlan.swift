/// How a frame of integers is to be encoded: chosen from an ``IntegerSurvey`` by an estimate of the bits of each way.
struct IntegerPlan {
    var transform = IntegerFrame.Transform.plain
    /// What is subtracted from each (transformed) integer; the slope of the line where that is the transform.
    var base = 0.0
    /// Bits of what is packed: 0…52.
    var width = 0
    /// How many packed integers do not fit `width` or lie below the base, and are kept apart.
    var patchCount = 0

    /// Beyond it differences of differences of doubles would not be exact.
    static let rangeMax = 1_125_899_906_842_624.0
    /// Above it patches cost more than the bits they save.
    private static let patchShareMin = 4
    /// Bits of the patches' own header.
    private static let patchHeadBitCount = 32
    /// Bits that the first value of the delta and the linear transform takes, more or less.
    private static let headBitCount = 16

    /// Chooses for `count` ≥ 1 integers; nil where they span too much for exact doubles.
    init?(_ values: UnsafePointer<Double>, count: Int) {
        let survey = IntegerSurvey(values, count: count)
        let range = survey.greatest - survey.least
        guard range < Self.rangeMax else { return nil }
        base = survey.least
        if range == 0 { return }
        let deltaCount = count &- 1
        let deltaRange = survey.greatestDelta - survey.leastDelta
        guard deltaRange < Self.rangeMax else { return nil }
        if deltaRange == 0 {
            (transform, base) = (.delta, survey.leastDelta)
            return
        }
        width = IntegerSurvey.width(range)
        var bitCount = width &* count
        let deltaWidth = IntegerSurvey.width(deltaRange)
        let deltaBitCount = deltaWidth &* deltaCount &+ Self.headBitCount
        let isDelta = deltaBitCount < bitCount
        if isDelta { (transform, base, width, bitCount) = (.delta, survey.leastDelta, deltaWidth, deltaBitCount) }

        considerChanges(survey, deltaCount: deltaCount, bitCount: &bitCount)
        // Nothing that packs a bit or more of each comes near.
        if patchCount > 0, bitCount < deltaCount { return }
        let slope = (values[deltaCount] - values[0]) / Double(deltaCount)
        // A value far off makes two differences far off, so that they take a bit more than the values: look at them all the same.
        if isDelta || deltaWidth <= IntegerSurvey.width(range) &+ 1 {
            considerPatches(
                values, lag: 1, count: deltaCount, least: survey.leastDelta, greatest: survey.greatestDelta, mean: slope, bitCount: &bitCount)
        }
        if !isDelta {
            considerPatches(
                values, lag: 0, count: count, least: survey.least, greatest: survey.greatest, mean: survey.sum / Double(count),
                bitCount: &bitCount)
        }
        if abs(slope) > 8 * deltaRange { considerLine(values, count: count, slope: slope.rounded(), bitCount: &bitCount) }
    }

    /// Integers that seldom change: only the changes, as patches on nothing.
    private mutating func considerChanges(_ survey: IntegerSurvey, deltaCount: Int, bitCount: inout Int) {
        let changeCount = deltaCount &- survey.unchangedCount
        guard changeCount &* Self.patchShareMin <= deltaCount else { return }
        // Where nothing decreases the least change is 1 or more.
        let range = survey.greatestDelta - (survey.leastDelta < 0 ? survey.leastDelta : 1)
        let cost = Self.patchBitCount(changeCount, of: deltaCount, width: IntegerSurvey.width(range)) &+ Self.headBitCount
        guard cost < bitCount else { return }
        (transform, base, width, patchCount, bitCount) = (.delta, 0, 0, changeCount, cost)
    }

    /// Integers of which most lie close together and a few far off: packed for the many, and patched.
    ///
    /// - Parameter lag: 1 where the differences between neighbours are meant, 0 for the integers.
    private mutating func considerPatches(
        _ values: UnsafePointer<Double>, lag: Int, count: Int, least: Double, greatest: Double, mean: Double, bitCount: inout Int
    ) {
        let range = greatest - least
        var base = least
        if (mean - least) * 4 >= range {
            guard (greatest - mean) * 4 < range else { return }
            // Most lie near the greatest: the least of the upper half is the base, and what is below it an exception.
            let middle = least + range / 2
            base = greatest
            for index in 0..<count {
                let value = lag == 1 ? values[index &+ 1] - values[index] : values[index]
                if value >= middle, value < base { base = value }
            }
        }
        // How many integers need each width, those below the base last.
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 128) { counts in
            counts.initialize(repeating: 0)
            for index in 0..<count {
                let value = lag == 1 ? values[index &+ 1] - values[index] : values[index]
                let width = IntegerSurvey.width(value - base)
                // Neighbours count in different places, or each would wait for the one before.
                counts[min(width, 63) &+ 64 &* (index & 1)] &+= 1
            }
            let belowCount = Int(counts[63]) &+ Int(counts[127])
            let fullWidth = IntegerSurvey.width(greatest - base)
            var patchCount = belowCount
            for width in stride(from: fullWidth, through: 0, by: -1) {
                guard patchCount &* Self.patchShareMin <= count else { return }
                if patchCount > 0 {
                    let patchRange = belowCount > 0 ? range : greatest - base - Double(UInt64(1) &<< UInt64(width))
                    let cost =
                        width &* count &+ Self.patchBitCount(patchCount, of: count, width: IntegerSurvey.width(patchRange))
                        &+ (lag == 1 ? Self.headBitCount : 0)
                    if cost < bitCount {
                        (self.transform, self.base, self.width, self.patchCount) = (lag == 1 ? .delta : .plain, base, width, patchCount)
                        bitCount = cost
                    }
                }
                patchCount &+= Int(counts[width]) &+ Int(counts[width &+ 64])
            }
        }
    }

    /// Integers along a line, as timestamps at an interval: each is off by its own jitter, not by that of its neighbour too.
    private mutating func considerLine(_ values: UnsafePointer<Double>, count: Int, slope: Double, bitCount: inout Int) {
        var (least, greatest) = (Double.infinity, -Double.infinity)
        for index in 0..<count {
            let value = values[index] - slope * Double(index)
            if value < least { least = value }
            if value > greatest { greatest = value }
        }
        let width = IntegerSurvey.width(greatest - least)
        let cost = width &* count &+ Self.headBitCount
        guard greatest - least < Self.rangeMax, cost < bitCount else { return }
        (transform, base, self.width, patchCount, bitCount) = (.linear, slope, width, 0, cost)
        origin = least
    }

    /// Where the line of ``IntegerFrame/Transform/linear`` starts.
    private(set) var origin = 0.0

    /// The bits of `patchCount` patches among `count` integers: a patch's place is as wide as the largest gap needs, which is about twice the mean.
    private static func patchBitCount(_ patchCount: Int, of count: Int, width: Int) -> Int {
        let gapWidth = min(BitPacking.width(UInt64(count)), BitPacking.width(UInt64(count / max(1, patchCount))) &+ 1)
        return patchCount &* (gapWidth &+ width) &+ patchHeadBitCount
    }
}
