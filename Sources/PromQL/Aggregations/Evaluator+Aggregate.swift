import Query
import Telemetry

/// The series that an aggregation takes together.
struct SeriesGroup: Sendable {
    var labels: Labels
    var dropsName: Bool
    /// Positions in the input.
    var members: [Int] = []
}

extension Evaluator {
    func aggregate(_ node: PromQLExpression.Aggregation, _ steps: Steps) async throws(QueryError) -> [Series] {
        if let plan = FusedPlan(node, options), let result = try await fused(plan, steps) {
            self.plan?.note("fused: series go into their groups as they are read, \(WorkerThreads.coreCount) chunks at once")
            return try result.merged()
        }
        var parameter: [Double] = []
        if let expression = node.parameter, node.operation != .countValues {
            parameter = try await scalar(expression, steps)
        }
        let input = try await vector(node.expression, steps)
        // What goes in is let go of; what comes out is smaller by far.
        defer { context.release(bytes: input.count * steps.count * 8) }
        if let error = try checkParameter(node, parameter, input) { throw error }
        let groups = Self.groups(input, node)
        switch node.operation {
        case .sum, .avg:
            return try groups.map { group throws(QueryError) in try total(node, group, input, steps) }.merged()
        case .topk, .bottomk, .limitk, .limitRatio: return try select(node, parameter, groups, input, steps)
        case .countValues: return try countValues(node, groups, input, steps)
        case .quantile:
            return try groups.map { group throws(QueryError) in try quantile(node, parameter, group, input, steps) }
                .filter { !$0.isEmpty }.merged()
        default:
            return try groups.map { group throws(QueryError) in try simple(node, group, input, steps) }.filter {
                !$0.isEmpty
            }.merged()
        }
    }

    /// The groups in the order of their first members.
    static func groups(_ input: [Series], _ node: PromQLExpression.Aggregation) -> [SeriesGroup] {
        let names = Set(node.grouping)
        if !node.isWithout && names.isEmpty {
            guard let first = input.first else { return [] }
            let dropsName = first.dropsName || input.contains(where: \.dropsName)
            return [SeriesGroup(labels: .empty, dropsName: dropsName, members: Array(input.indices))]
        }
        let dropped = names.union(Labels.metadataNames)
        var positions: [Labels: Int] = [:]
        var groups: [SeriesGroup] = []
        for (index, series) in input.enumerated() {
            let labels = node.isWithout ? series.labels.dropping(dropped) : series.labels.keeping(names)
            if let position = positions[labels] {
                groups[position].members.append(index)
                groups[position].dropsName = groups[position].dropsName || series.dropsName
            } else {
                positions[labels] = groups.count
                groups.append(SeriesGroup(labels: labels, dropsName: series.dropsName, members: [index]))
            }
        }
        return groups
    }

    private func checkParameter(
        _ node: PromQLExpression.Aggregation, _ parameter: [Double], _ input: [Series]
    ) throws(QueryError) -> QueryError? {
        guard let place = node.parameter?.place else { return nil }
        switch node.operation {
        case .quantile:
            for value in parameter where !(value >= 0 && value <= 1) { annotations.invalidQuantile(value, at: place) }
        case .topk, .bottomk, .limitk:
            for value in parameter {
                if value.isNaN { return QueryError(.execution, "Parameter value is NaN") }
                if value <= -9.223372036854776e18 {
                    return QueryError(.execution, "Scalar value \(PromQLNumber.formatGeneral(value)) underflows int64")
                }
                if value >= 9.223372036854776e18 {
                    return QueryError(.execution, "Scalar value \(PromQLNumber.formatGeneral(value)) overflows int64")
                }
            }
        case .limitRatio:
            for value in parameter {
                if value.isNaN { return QueryError(.execution, "Ratio value is NaN") }
                if value < -1 { annotations.invalidRatio(value, cappedTo: -1, at: place) }
                if value > 1 { annotations.invalidRatio(value, cappedTo: 1, at: place) }
            }
        case .countValues:
            guard let expression = node.parameter else { return nil }
            if case .string(let literal) = expression.unwrapped, literal.value.isEmpty || literal.isBroken {
                return QueryError(.execution, "invalid label name \(literal.quoted)")
            }
        default: break
        }
        return nil
    }

    /// `sum` and `avg`.
    private func total(
        _ node: PromQLExpression.Aggregation, _ group: SeriesGroup, _ input: [Series], _ steps: Steps
    ) throws(QueryError) -> Series {
        var result = Series(labels: group.labels, dropsName: group.dropsName, stepCount: steps.count)
        if group.members.contains(where: { input[$0].hasHistograms }) {
            mixedTotal(node, group, input, steps, into: &result)
            return result
        }
        var sums = ColumnSums(stepCount: steps.count)
        for member in group.members {
            try context.check()
            sums.add(input[member].values)
        }
        for step in 0..<steps.count where sums.counts[step] > 0 {
            if node.operation == .sum {
                result.values[step] = sums.sum(at: step)
            } else {
                result.values[step] =
                    sums.mean(at: step)
                    ?? CompensatedMean.of(
                        group.members.lazy.map { input[$0].values[step] }.filter { !Absent.holds($0) })
            }
        }
        return result
    }

    /// `sum` and `avg` where some members are histograms: step by step.
    private func mixedTotal(
        _ node: PromQLExpression.Aggregation, _ group: SeriesGroup, _ input: [Series], _ steps: Steps,
        into result: inout Series
    ) {
        let place = node.expression.place
        for step in 0..<steps.count {
            var (sum, mean) = (CompensatedSum(), CompensatedMean())
            var floatCount = 0
            var histograms = HistogramSum()
            var isCompatible = true
            for member in group.members {
                if let histogram = input[member].histogram(at: step) {
                    do { try histograms.add(histogram) } catch { isCompatible = false }
                } else if !Absent.holds(input[member].values[step]) {
                    floatCount += 1
                    sum.add(input[member].values[step])
                    mean.add(input[member].values[step])
                }
            }
            if floatCount > 0 && histograms.count > 0 {
                annotations.mixedFloatsAndHistogramsInAggregation(at: place)
                continue
            }
            if !isCompatible {
                annotations.mixedSchemas("", at: place)
                continue
            }
            histograms.report(to: annotations, at: place)
            if floatCount > 0 { result.values[step] = node.operation == .sum ? sum.value : mean.value }
            result.set(node.operation == .sum ? histograms.total : histograms.mean, at: step)
        }
    }

    /// `count`, `group`, `min`, `max`, `stddev`, `stdvar`.
    private func simple(
        _ node: PromQLExpression.Aggregation, _ group: SeriesGroup, _ input: [Series], _ steps: Steps
    ) throws(QueryError) -> Series {
        var result = Series(labels: group.labels, dropsName: group.dropsName, stepCount: steps.count)
        var ignoresHistograms = false
        switch node.operation {
        case .count, .group:
            for member in group.members {
                try context.check()
                for step in 0..<steps.count where input[member].hasSample(at: step) {
                    let isFirst = Absent.holds(result.values[step])
                    result.values[step] = node.operation == .group || isFirst ? 1 : result.values[step] + 1
                }
            }
        case .min, .max:
            let isMinimum = node.operation == .min
            for member in group.members {
                try context.check()
                let values = input[member].values
                ignoresHistograms = ignoresHistograms || input[member].hasHistograms
                for step in 0..<steps.count where !Absent.holds(values[step]) {
                    let (held, value) = (result.values[step], values[step])
                    if held.isNaN || (isMinimum ? value < held : value > held) { result.values[step] = value }
                }
            }
        default:
            var (counts, means, squares) = (Array(repeating: 0.0, count: steps.count), result.values, result.values)
            for member in group.members {
                try context.check()
                let values = input[member].values
                ignoresHistograms = ignoresHistograms || input[member].hasHistograms
                for step in 0..<steps.count where !Absent.holds(values[step]) {
                    let value = values[step]
                    counts[step] += 1
                    if counts[step] == 1 {
                        (means[step], squares[step]) = (value, value.isFinite ? 0 : .nan)
                    } else {
                        let delta = value - means[step]
                        means[step] += delta / counts[step]
                        squares[step] += delta * (value - means[step])
                    }
                }
            }
            for step in 0..<steps.count where counts[step] > 0 {
                let variance = squares[step] / counts[step]
                result.values[step] = node.operation == .stddev ? variance.squareRoot() : variance
            }
        }
        if ignoresHistograms {
            annotations.ignoredHistogram(inAggregation: node.operation.rawValue, at: node.expression.place)
        }
        return result
    }

    private func quantile(
        _ node: PromQLExpression.Aggregation, _ parameter: [Double], _ group: SeriesGroup, _ input: [Series],
        _ steps: Steps
    ) throws(QueryError) -> Series {
        var result = Series(labels: group.labels, dropsName: group.dropsName, stepCount: steps.count)
        let columns = group.members.map { input[$0].values }
        var values: [Double] = []
        for step in 0..<steps.count {
            try context.check()
            values.removeAll(keepingCapacity: true)
            for column in columns where !Absent.holds(column[step]) { values.append(column[step]) }
            if !values.isEmpty { result.values[step] = Quantile.of(parameter[step], values) }
        }
        if group.members.contains(where: { input[$0].hasHistograms }) {
            annotations.ignoredHistogram(inAggregation: node.operation.rawValue, at: node.expression.place)
        }
        return result
    }

    private func countValues(
        _ node: PromQLExpression.Aggregation, _ groups: [SeriesGroup], _ input: [Series], _ steps: Steps
    ) throws(QueryError) -> [Series] {
        let label = node.parameter.map(string) ?? ""
        var result: [Series] = []
        // The label may replace one that the groups differ by: groups that end up alike are one.
        var positions: [Labels: Int] = [:]
        for group in groups {
            for member in group.members {
                try context.check()
                let series = input[member]
                for step in 0..<steps.count where series.hasSample(at: step) {
                    var labels = group.labels
                    labels[label] = series.histogram(at: step)?.promQLText ?? PromQLNumber.format(series.values[step])
                    let position = positions[labels] ?? result.count
                    if position == result.count {
                        positions[labels] = position
                        result.append(Series(labels: labels, dropsName: group.dropsName, stepCount: steps.count))
                    }
                    let isFirst = Absent.holds(result[position].values[step])
                    result[position].values[step] = isFirst ? 1 : result[position].values[step] + 1
                }
            }
        }
        return result
    }
}
