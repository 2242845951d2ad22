import Telemetry

extension VectorAggregation {
    /// The aggregation over the series of each group, at every step.
    func apply(_ series: [StepSeries], _ grid: StepGrid) -> [StepSeries] {
        switch operation {
        case .sort, .sortDescending: return sorted(series, isDescending: operation == .sortDescending)
        default: break
        }
        var groups: [(labels: Labels, members: [Int])] = []
        var indexes: [Labels: Int] = [:]
        for (index, one) in series.enumerated() {
            let labels = groupLabels(one.labels)
            if let group = indexes[labels] {
                groups[group].members.append(index)
            } else {
                indexes[labels] = groups.count
                groups.append((labels, [index]))
            }
        }
        if operation.takesParameter { return groups.flatMap { best($0.members.map { series[$0] }, grid) } }
        return groups.map { group in
            var result = StepSeries(labels: group.labels, count: grid.count)
            var values: [Double] = []
            for step in 0..<grid.count {
                values.removeAll(keepingCapacity: true)
                for member in group.members where series[member].present[step] { values.append(series[member].values[step]) }
                guard !values.isEmpty else { continue }
                (result.values[step], result.present[step]) = (value(values), true)
            }
            return result
        }
    }

    private func groupLabels(_ labels: Labels) -> Labels {
        guard let grouping else { return .empty }
        return grouping.isWithout ? labels.dropping(Set(grouping.labels)) : labels.keeping(Set(grouping.labels))
    }

    private func value(_ values: [Double]) -> Double {
        switch operation {
        case .sum: values.reduce(0, +)
        case .avg: values.reduce(0, +) / Double(values.count)
        case .count: Double(values.count)
        case .max: values.dropFirst().reduce(values[0]) { $1 > $0 || $0.isNaN ? $1 : $0 }
        case .min: values.dropFirst().reduce(values[0]) { $1 < $0 || $0.isNaN ? $1 : $0 }
        case .stddev: Statistics.variance(values).squareRoot()
        case .stdvar: Statistics.variance(values)
        case .topk, .bottomk, .approximateTopK, .sort, .sortDescending: values[0]
        }
    }

    /// The series with the k greatest (least) values of a group, step by step. `approx_topk` is exact here.
    private func best(_ members: [StepSeries], _ grid: StepGrid) -> [StepSeries] {
        var result = members.map { StepSeries(labels: $0.labels, count: grid.count) }
        let isDescending = operation != .bottomk
        for step in 0..<grid.count {
            let present = members.indices.filter { members[$0].present[step] }
            let order = present.sorted { Self.precedes(members[$0].values[step], members[$1].values[step], isDescending) }
            for index in order.prefix(parameter) {
                (result[index].values[step], result[index].present[step]) = (members[index].values[step], true)
            }
        }
        result.removeAll { !$0.present.contains(true) }
        return grid.count == 1 ? sorted(result, isDescending: isDescending) : result
    }

    private func sorted(_ series: [StepSeries], isDescending: Bool) -> [StepSeries] {
        // An order is something for one instant; over a range the labels order the answer.
        series.sorted { left, right in
            guard let (a, b) = left.values.first.flatMap({ a in right.values.first.map { (a, $0) } }), a != b else {
                return left.labels < right.labels
            }
            return Self.precedes(a, b, isDescending)
        }
    }

    /// NaN comes last in either order.
    private static func precedes(_ left: Double, _ right: Double, _ isDescending: Bool) -> Bool {
        if left.isNaN || right.isNaN { return !left.isNaN && right.isNaN }
        return isDescending ? left > right : left < right
    }
}
