import Glibc

/// Samples as a fleet of instrumented services exposes them: gauges that wander, counters, and request histograms of which a tenth is busy, a third
/// slow and the rest nearly idle. The same kinds and shares as the load generator that Apus is compared with its peers by.
struct FleetSeries {
    /// Each kind of series, with the columns of each.
    private(set) var columns: [Kind: [[Double]]] = [:]

    enum Kind: String, CaseIterable {
        case gauge, bytes, cpu, allocated
        case idleBucket = "idle-bucket"
        case slowBucket = "slow-bucket"
        case busyBucket = "busy-bucket"
        case sum, count
    }

    private var random: Random

    init(instanceCount: Int, sampleCount: Int, seed: UInt64) {
        random = Random(state: seed)
        for instance in 0..<instanceCount { add(instance: instance, sampleCount: sampleCount) }
    }

    /// All columns, those of one kind after the other.
    var all: [[Double]] { Kind.allCases.flatMap { columns[$0] ?? [] } }

    private mutating func add(instance: Int, sampleCount: Int) {
        for _ in 0..<4 {
            var value = Double(20 + random.below(200))
            add(.gauge, sampleCount) { random in
                value = max(0, value + Double(random.below(21)) - 10)
                return value
            }
        }
        for _ in 0..<3 {
            var value = 268_435_456.0
            add(.bytes, sampleCount) { random in
                value += Double(random.below(1 << 20)) - 524_288
                return value
            }
        }
        var (seconds, allocated) = (0.0, 0.0)
        add(.cpu, sampleCount) { random in
            seconds += Double(random.below(5000)) / 1000
            return seconds
        }
        add(.allocated, sampleCount) { random in
            allocated += Double(random.below(2 << 20 + 1))
            return allocated
        }
        for route in 0..<10 {
            for _ in 0...(route % 4) {
                for _ in 0..<(2 + (route + instance) % 4) { addHistogram(sampleCount) }
            }
        }
        for _ in 0..<5 { addHistogram(sampleCount) }
    }

    private mutating func addHistogram(_ sampleCount: Int) {
        let drawn = random.below(10)
        let mean = drawn == 0 ? 200 + 800 * random.unit() : drawn < 4 ? 5 + 20 * random.unit() : 0.05
        let kind: Kind = drawn == 0 ? .busyBucket : drawn < 4 ? .slowBucket : .idleBucket
        let fast = 0.7 + 0.29 * random.unit()
        var counts: [Double] = []
        for _ in 0..<sampleCount {
            if mean < 1 {
                counts.append(random.unit() < mean ? 1 : 0)
            } else {
                counts.append(max(0, (mean + random.normal() * mean.squareRoot()).rounded()))
            }
        }
        for bucket in 0..<12 {
            let share = bucket == 11 ? 1 : 1 - pow(1 - fast, Double(bucket + 1) / 6)
            var (value, index) = (0.0, 0)
            add(kind, sampleCount) { _ in
                value += (counts[index] * share + 0.5).rounded(.down)
                index += 1
                return value
            }
        }
        var (sum, count, index) = (0.0, 0.0, 0)
        add(.sum, sampleCount) { random in
            sum += counts[index] * Double(20 + random.below(60)) / 1000
            index += 1
            return sum
        }
        index = 0
        add(.count, sampleCount) { _ in
            count += counts[index]
            index += 1
            return count
        }
    }

    private mutating func add(_ kind: Kind, _ sampleCount: Int, _ next: (inout Random) -> Double) {
        var column: [Double] = []
        for _ in 0..<sampleCount { column.append(next(&random)) }
        columns[kind, default: []].append(column)
    }

    /// The same numbers on every machine.
    struct Random {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }

        mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
        mutating func unit() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }

        /// After Box and Muller.
        mutating func normal() -> Double {
            (-2 * log(1 - unit())).squareRoot() * cos(2 * Double.pi * unit())
        }
    }
}
