import Query
import Telemetry
import Glibc

/// The arithmetic of LogQL's operators.
enum Arithmetic {
    static func scalar(_ operation: BinaryOperation.Operation, _ left: Double, _ right: Double) -> Double {
        switch operation {
        case .add: left + right
        case .subtract: left - right
        case .multiply: left * right
        // Loki answers NaN where Prometheus answers infinity.
        case .divide: right == 0 ? .nan : left / right
        case .modulo: right == 0 ? .nan : fmod(left, right)
        case .power: pow(left, right)
        case .equal: left == right ? 1 : 0
        case .notEqual: left != right ? 1 : 0
        case .greater: left > right ? 1 : 0
        case .greaterOrEqual: left >= right ? 1 : 0
        case .less: left < right ? 1 : 0
        case .lessOrEqual: left <= right ? 1 : 0
        case .and, .or, .unless: .nan
        }
    }
}

extension BinaryOperation {
    func apply(_ left: Evaluated, _ right: Evaluated, _ grid: StepGrid) throws(QueryError) -> Evaluated {
        switch (left, right) {
        case (.scalar(let left), .scalar(let right)): return .scalar(Arithmetic.scalar(operation, left, right))
        case (.vector(let series), .scalar(let number)): return .vector(series.compactMap { combine($0, grid) { ($0, number) } })
        case (.scalar(let number), .vector(let series)): return .vector(series.compactMap { combine($0, grid) { (number, $0) } })
        case (.vector(let left), .vector(let right)):
            return .vector(operation.isSet ? set(left, right, grid) : try match(left, right, grid))
        }
    }

    /// A vector with a number: a comparison filters the vector's own values.
    private func combine(_ series: StepSeries, _ grid: StepGrid, _ sides: (Double) -> (Double, Double)) -> StepSeries? {
        var result = series
        for step in 0..<grid.count where series.present[step] {
            let (left, right) = sides(series.values[step])
            let value = Arithmetic.scalar(operation, left, right)
            if operation.comparison != nil, !returnsBool {
                result.present[step] = value == 1
            } else {
                result.values[step] = value
            }
        }
        return result.present.contains(true) ? result : nil
    }

    /// The labels by which series of the two sides find each other.
    private func signature(_ labels: Labels) -> Labels {
        guard let matching else { return labels }
        let names = Set(matching.labels)
        return matching.isOn ? labels.keeping(names) : labels.dropping(names)
    }

    private func set(_ left: [StepSeries], _ right: [StepSeries], _ grid: StepGrid) -> [StepSeries] {
        var rightPresent: [Labels: [Bool]] = [:]
        var leftPresent: [Labels: [Bool]] = [:]
        for one in right { Self.merge(one.present, into: &rightPresent[signature(one.labels), default: []]) }
        for one in left { Self.merge(one.present, into: &leftPresent[signature(one.labels), default: []]) }
        var result: [StepSeries] = []
        func keep(_ series: StepSeries, where isKept: (Int) -> Bool) {
            var kept = series
            for step in 0..<grid.count where series.present[step] { kept.present[step] = isKept(step) }
            if kept.present.contains(true) { result.append(kept) }
        }
        switch operation {
        case .and, .unless:
            for one in left {
                let others = rightPresent[signature(one.labels)]
                keep(one) { (others?[$0] ?? false) == (operation == .and) }
            }
        default:
            for one in left { keep(one) { _ in true } }
            for one in right {
                let others = leftPresent[signature(one.labels)]
                keep(one) { !(others?[$0] ?? false) }
            }
        }
        return result
    }

    private static func merge(_ present: [Bool], into all: inout [Bool]) {
        if all.isEmpty {
            all = present
        } else {
            for index in present.indices where present[index] { all[index] = true }
        }
    }

    private func match(_ left: [StepSeries], _ right: [StepSeries], _ grid: StepGrid) throws(QueryError) -> [StepSeries] {
        let cardinality = matching?.cardinality ?? .oneToOne
        let isSwapped = cardinality == .oneToMany
        let (many, one) = isSwapped ? (right, left) : (left, right)
        var candidates: [Labels: [Int]] = [:]
        for (index, series) in one.enumerated() { candidates[signature(series.labels), default: []].append(index) }
        try checkUnique(candidates, one, isSwapped ? "left" : "right", grid)
        var result: [StepSeries] = []
        var indexes: [Labels: Int] = [:]
        // One to one: which signature has had its match at a step; else which result has.
        var matched: [Labels: [Bool]] = [:]
        for series in many {
            let signature = signature(series.labels)
            guard let partners = candidates[signature] else { continue }
            for step in 0..<grid.count where series.present[step] {
                guard let partner = partners.first(where: { one[$0].present[step] }) else { continue }
                let labels = resultLabels(series.labels, one[partner].labels)
                let place = cardinality == .oneToOne ? signature : labels
                guard !(matched[place]?[step] ?? false) else {
                    let reason =
                        cardinality == .oneToOne
                        ? "many-to-one matching must be explicit (group_left/group_right)" : "grouping labels must ensure unique matches"
                    throw QueryError(.execution, "multiple matches for labels: \(reason)")
                }
                matched[place, default: [Bool](repeating: false, count: grid.count)][step] = true
                let (a, b) = (series.values[step], one[partner].values[step])
                let (leftValue, rightValue) = isSwapped ? (b, a) : (a, b)
                var value = Arithmetic.scalar(operation, leftValue, rightValue)
                if operation.comparison != nil, !returnsBool {
                    guard value == 1 else { continue }
                    value = leftValue
                }
                let index = indexes[labels] ?? result.count
                if index == result.count {
                    indexes[labels] = index
                    result.append(StepSeries(labels: labels, count: grid.count))
                }
                (result[index].values[step], result[index].present[step]) = (value, true)
            }
        }
        return result
    }

    /// The "one" side has one series a signature at every step, whether or not the other side has a partner for it.
    private func checkUnique(
        _ candidates: [Labels: [Int]], _ one: [StepSeries], _ side: String, _ grid: StepGrid
    ) throws(QueryError) {
        for (signature, members) in candidates where members.count > 1 {
            for step in 0..<grid.count where members.count(where: { one[$0].present[step] }) > 1 {
                throw QueryError(
                    .execution,
                    "found duplicate series for the match group \(signature) on the \(side) hand-side of the operation; "
                        + "many-to-many matching not allowed: matching labels must be unique on one side")
            }
        }
    }

    private func resultLabels(_ many: Labels, _ one: Labels) -> Labels {
        guard let matching else { return many }
        let names = Set(matching.labels)
        guard matching.cardinality != .oneToOne else { return matching.isOn ? many.keeping(names) : many.dropping(names) }
        var labels = many
        for name in matching.include { labels[name] = one[name] }
        return labels
    }
}
