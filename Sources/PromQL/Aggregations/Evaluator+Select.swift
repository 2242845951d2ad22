import Query
import Telemetry

extension Evaluator {
    /// `topk`, `bottomk`, `limitk`, `limit_ratio`: the series stay what they are, but not all of them stay.
    func select(
        _ node: PromQLExpression.Aggregation, _ parameter: [Double], _ groups: [SeriesGroup], _ input: [Series],
        _ steps: Steps
    ) throws(QueryError) -> [Series] {
        var result: [Series] = []
        for group in groups {
            try context.check()
            let members = group.members.map { input[$0] }
            // Most series of a large group never come up: their columns are made when they do.
            var kept: [Int: Series] = [:]
            var order: [Int] = []
            var hashes: [Double] = []
            if node.operation == .limitRatio {
                hashes = members.map { Double(SeriesHash.hash($0.labels)) / Double(UInt64.max) }
            }
            for step in 0..<steps.count {
                let chosen: [Int]
                switch node.operation {
                case .limitRatio:
                    chosen = members.indices.filter {
                        members[$0].hasSample(at: step) && Self.isSampled(hashes[$0], parameter[step])
                    }
                case .limitk:
                    let count = parameter[step] >= 1 ? Int(parameter[step]) : 0
                    chosen = Array(members.indices.lazy.filter { members[$0].hasSample(at: step) }.prefix(count))
                default: chosen = extremes(node, parameter[step], members, step)
                }
                for member in chosen {
                    var series =
                        kept.removeValue(forKey: member)
                        ?? Series(
                            labels: members[member].labels, dropsName: members[member].dropsName, stepCount: steps.count
                        )
                    series.values[step] = members[member].values[step]
                    series.set(members[member].histogram(at: step), at: step)
                    kept[member] = series
                }
                if steps.count == 1 { order = chosen }
            }
            // At an instant the result is in the order of the values.
            if steps.count > 1 { order = kept.keys.sorted() }
            result += order.compactMap { kept[$0] }
        }
        return result
    }

    /// The positions of the largest or smallest values at a step, the first of them first; NaN goes last.
    private func extremes(
        _ node: PromQLExpression.Aggregation, _ parameter: Double, _ members: [Series], _ step: Int
    ) -> [Int] {
        guard parameter >= 1 else { return [] }
        var candidates: [(position: Int, value: Double)] = []
        candidates.reserveCapacity(members.count)
        for position in members.indices {
            if members[position].hasHistograms, members[position].histogram(at: step) != nil {
                annotations.ignoredHistogram(inAggregation: node.operation.rawValue, at: node.expression.place)
            } else if !Absent.holds(members[position].values[step]) {
                candidates.append((position, members[position].values[step]))
            }
        }
        let isTop = node.operation == .topk
        func precedes(_ left: (position: Int, value: Double), _ right: (position: Int, value: Double)) -> Bool {
            if left.value.isNaN || right.value.isNaN {
                return left.value.isNaN == right.value.isNaN ? left.position < right.position : right.value.isNaN
            }
            if left.value == right.value { return left.position < right.position }
            return isTop ? left.value > right.value : left.value < right.value
        }
        let count = Int(parameter)
        guard count < 32, count < candidates.count else {
            return candidates.sorted(by: precedes).prefix(count).map(\.position)
        }
        // A few of many: insert into a short sorted list.
        var best: [(position: Int, value: Double)] = []
        for candidate in candidates {
            if best.count == count, let last = best.last, !precedes(candidate, last) { continue }
            let place = best.firstIndex { precedes(candidate, $0) } ?? best.count
            best.insert(candidate, at: place)
            if best.count > count { best.removeLast() }
        }
        return best.map(\.position)
    }

    /// Whether a series belongs to the share: its hash, as a fraction of all hashes, lies within it. A negative share takes what
    /// the positive one leaves, so that `limit_ratio(0.3, v) or limit_ratio(-0.7, v)` is all of `v`.
    private static func isSampled(_ offset: Double, _ ratio: Double) -> Bool {
        let ratio = min(max(ratio, -1), 1)
        return ratio >= 0 ? offset < ratio : offset >= 1 + ratio
    }
}

/// XXH64 of a label set, as Prometheus computes it: which series `limit_ratio` takes depends on it.
enum SeriesHash {
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    static func hash(_ labels: Labels) -> UInt64 {
        var bytes: [UInt8] = []
        for pair in labels.pairs {
            bytes.append(contentsOf: pair.name.utf8)
            bytes.append(0xff)
            bytes.append(contentsOf: pair.value.utf8)
            bytes.append(0xff)
        }
        return hash(bytes)
    }

    static func hash(_ bytes: [UInt8]) -> UInt64 {
        var index = 0
        var result: UInt64
        if bytes.count >= 32 {
            var lanes: (UInt64, UInt64, UInt64, UInt64) = (prime1 &+ prime2, prime2, 0, 0 &- prime1)
            while index + 32 <= bytes.count {
                lanes.0 = round(lanes.0, word(bytes, index))
                lanes.1 = round(lanes.1, word(bytes, index + 8))
                lanes.2 = round(lanes.2, word(bytes, index + 16))
                lanes.3 = round(lanes.3, word(bytes, index + 24))
                index += 32
            }
            result = rotate(lanes.0, 1) &+ rotate(lanes.1, 7) &+ rotate(lanes.2, 12) &+ rotate(lanes.3, 18)
            for lane in [lanes.0, lanes.1, lanes.2, lanes.3] { result = (result ^ round(0, lane)) &* prime1 &+ prime4 }
        } else {
            result = prime5
        }
        result &+= UInt64(bytes.count)
        while index + 8 <= bytes.count {
            result = rotate(result ^ round(0, word(bytes, index)), 27) &* prime1 &+ prime4
            index += 8
        }
        if index + 4 <= bytes.count {
            var half: UInt64 = 0
            for offset in 0..<4 { half |= UInt64(bytes[index + offset]) << (8 * UInt64(offset)) }
            result = rotate(result ^ (half &* prime1), 23) &* prime2 &+ prime3
            index += 4
        }
        while index < bytes.count {
            result = rotate(result ^ (UInt64(bytes[index]) &* prime5), 11) &* prime1
            index += 1
        }
        result = (result ^ (result >> 33)) &* prime2
        result = (result ^ (result >> 29)) &* prime3
        return result ^ (result >> 32)
    }

    private static func word(_ bytes: [UInt8], _ index: Int) -> UInt64 {
        var word: UInt64 = 0
        for offset in 0..<8 { word |= UInt64(bytes[index + offset]) << (8 * UInt64(offset)) }
        return word
    }

    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 { rotate(lane &+ word &* prime2, 31) &* prime1 }
    private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 { value << count | value >> (64 - count) }
}
