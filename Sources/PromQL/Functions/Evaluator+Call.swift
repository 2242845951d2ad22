import Foundation
import Query
import Telemetry

extension Evaluator {
    /// The value of a function call.
    func call(_ call: PromQLExpression.FunctionCall, _ steps: Steps) async throws(QueryError) -> Value {
        let name = call.function.name
        let arguments = call.arguments
        if name == "absent_over_time" { return .vector(try await absentOverTime(arguments[0], steps)) }
        if call.function.parameters.contains(.matrix) { return .vector(try await rangeCall(call, steps)) }
        if let function = ElementwiseFunction.table[name] {
            return .vector(try await map(vector(arguments[0], steps), function))
        }
        if let part = CalendarPart(rawValue: name) { return .vector(try await calendar(part, arguments, steps)) }
        switch name {
        case "pi": return .scalar(Array(repeating: .pi, count: steps.count))
        case "time": return .scalar((0..<steps.count).map { Double(steps.time($0)) / 1000 })
        case "start": return .scalar(Array(repeating: Double(query.start) / 1000, count: steps.count))
        case "end": return .scalar(Array(repeating: Double(queryEnd) / 1000, count: steps.count))
        case "range": return .scalar(Array(repeating: Double(queryEnd - query.start) / 1000, count: steps.count))
        case "step":
            let step = query.count == 1 && query.step == 1 ? 0 : query.step
            return .scalar(Array(repeating: Double(step) / 1000, count: steps.count))
        case "min_of", "max_of":
            let (a, b) = (try await scalar(arguments[0], steps), try await scalar(arguments[1], steps))
            return .scalar(zip(a, b).map(name == "min_of" ? Self.lesser : Self.greater))
        case "vector": return .vector([Series(labels: .empty, values: try await scalar(arguments[0], steps))])
        case "scalar": return .scalar(try await onlyValue(arguments[0], steps))
        case "absent": return .vector(try await absent(arguments[0], steps))
        case "timestamp": return .vector(try await timestamps(arguments[0], steps))
        case "round", "clamp", "clamp_min", "clamp_max": return .vector(try await bounded(call, steps))
        case "sort", "sort_desc":
            if steps.count > 1 { annotations.sortInRange(at: call.place) }
            return .vector(try await sorted(arguments[0], steps, isDescending: name == "sort_desc"))
        case "sort_by_label", "sort_by_label_desc":
            if steps.count > 1 { annotations.sortInRange(at: call.place) }
            let labels = arguments.dropFirst().map(string)
            return .vector(
                try await sortedByLabel(arguments[0], labels, steps, isDescending: name == "sort_by_label_desc"))
        case "label_replace": return .vector(try await labelReplace(arguments, steps))
        case "label_join": return .vector(try await labelJoin(arguments, steps))
        case "histogram_quantile", "histogram_quantiles", "histogram_fraction":
            return .vector(try await histogramFunction(call, steps))
        case "info": return .vector(try await info(call, steps))
        case "start_timestamp":
            // They are the samples' own: an expression has none.
            guard case .selector(let selector) = arguments[0].unwrapped else { return .vector([]) }
            var series = try await instantVector(selector, steps, giving: .start)
            for index in series.indices { dropName(&series[index]) }
            return .vector(try series.merged())
        default: throw QueryError(.execution, "unknown function with name \(name.quoted)")
        }
    }

    /// A function of each sample alone.
    private func map(_ vector: [Series], _ function: ElementwiseFunction) throws(QueryError) -> [Series] {
        var result: [Series] = []
        result.reserveCapacity(vector.count)
        for var series in vector {
            try context.check()
            switch function {
            case .float(let apply):
                series.histograms = []
                for step in series.values.indices where !Absent.holds(series.values[step]) {
                    series.values[step] = apply(series.values[step])
                }
            case .histogram(let apply):
                guard series.hasHistograms else { continue }
                for step in series.values.indices {
                    series.values[step] = series.histograms[step].map(apply) ?? Absent.value
                }
                series.histograms = []
            }
            guard !series.isEmpty else { continue }
            dropName(&series)
            result.append(series)
        }
        return try result.merged()
    }

    /// The value of a vector with exactly one float, NaN otherwise.
    private func onlyValue(_ argument: PromQLExpression, _ steps: Steps) async throws(QueryError) -> [Double] {
        var values = Array(repeating: Double.nan, count: steps.count)
        var counts = Array(repeating: 0, count: steps.count)
        for series in try await vector(argument, steps) {
            for step in 0..<steps.count where !Absent.holds(series.values[step]) {
                counts[step] += 1
                values[step] = counts[step] == 1 ? series.values[step] : .nan
            }
        }
        return values
    }

    /// `timestamp`: of a selector the samples' own times, of anything else the time of evaluation.
    private func timestamps(_ argument: PromQLExpression, _ steps: Steps) async throws(QueryError) -> [Series] {
        if case .selector(let selector) = argument.unwrapped {
            var series = try await instantVector(selector, steps, giving: .time)
            for index in series.indices { dropName(&series[index]) }
            return try series.merged()
        }
        var series = try await vector(argument, steps)
        for index in series.indices {
            for step in 0..<steps.count where series[index].hasSample(at: step) {
                series[index].values[step] = Double(steps.time(step)) / 1000
            }
            series[index].histograms = []
            dropName(&series[index])
        }
        return try series.merged()
    }

    /// `round` and the `clamp` family.
    private func bounded(_ call: PromQLExpression.FunctionCall, _ steps: Steps) async throws(QueryError) -> [Series] {
        var parameters: [[Double]] = []
        for argument in call.arguments.dropFirst() { parameters.append(try await scalar(argument, steps)) }
        if call.function.name == "round", parameters.isEmpty { parameters = [Array(repeating: 1, count: steps.count)] }
        let name = call.function.name
        var result: [Series] = []
        for var series in try await vector(call.arguments[0], steps) {
            series.histograms = []
            for step in 0..<steps.count where !Absent.holds(series.values[step]) {
                let value = series.values[step]
                let parameter = parameters[0][step]
                switch name {
                case "round":
                    // Rounds half up; the inverse keeps 0.1 and the like exact.
                    let inverse = 1 / parameter
                    series.values[step] = (value * inverse + 0.5).rounded(.down) / inverse
                case "clamp_min": series.values[step] = Self.greater(value, parameter)
                case "clamp_max": series.values[step] = Self.lesser(value, parameter)
                default:
                    let upper = parameters[1][step]
                    series.values[step] =
                        upper < parameter ? Absent.value : Self.greater(parameter, Self.lesser(upper, value))
                }
            }
            guard !series.isEmpty else { continue }
            dropName(&series)
            result.append(series)
        }
        return try result.merged()
    }

    /// Go's `math.Max`: an infinity wins over NaN, NaN over all else, and 0 over -0.
    private static func greater(_ a: Double, _ b: Double) -> Double {
        if a == .infinity || b == .infinity { return .infinity }
        if a.isNaN || b.isNaN { return .nan }
        return a == b ? (a.sign == .minus ? b : a) : max(a, b)
    }

    /// Go's `math.Min`.
    private static func lesser(_ a: Double, _ b: Double) -> Double { -greater(-a, -b) }

    // MARK: Absence

    private func absent(_ argument: PromQLExpression, _ steps: Steps) async throws(QueryError) -> [Series] {
        var values = Array(repeating: 1.0, count: steps.count)
        for series in try await vector(argument, steps) {
            for step in 0..<steps.count where series.hasSample(at: step) { values[step] = Absent.value }
        }
        return [Series(labels: Self.labelsOfAbsent(argument), values: values)].filter { !$0.isEmpty }
    }

    private func absentOverTime(_ argument: PromQLExpression, _ steps: Steps) async throws(QueryError) -> [Series] {
        var values = Array(repeating: 1.0, count: steps.count)
        try await rangeVector(argument, steps) { (raw: inout RawSeries, windows: RangeWindows) throws(QueryError) in
            try raw.forEachWindow(windows, steps) { window throws(QueryError) in values[window.step] = Absent.value }
        }
        return [Series(labels: Self.labelsOfAbsent(argument), values: values)].filter { !$0.isEmpty }
    }

    /// What is known of a series that is not there: the labels that its selector fixes.
    private static func labelsOfAbsent(_ argument: PromQLExpression) -> Labels {
        let matchers: [LabelMatcher]
        switch argument.unwrapped {
        case .selector(let node): matchers = node.matchers
        case .range(let node): matchers = node.selector.matchers
        default: return .empty
        }
        var labels = Labels.empty
        var seen: Set<String> = []
        for matcher in matchers where matcher.name != Labels.metricName {
            // A label with more than one condition is not known.
            let isFirst = seen.insert(matcher.name).inserted
            labels[matcher.name] = matcher.operation == .equal && isFirst ? matcher.value : nil
        }
        return labels
    }

    // MARK: Order

    /// Sorting matters at an instant alone; histograms go.
    private func sorted(_ argument: PromQLExpression, _ steps: Steps, isDescending: Bool) async throws(QueryError)
        -> [Series]
    {
        var series = try await vector(argument, steps)
        for index in series.indices { series[index].histograms = [] }
        series.removeAll(where: \.isEmpty)
        guard steps.count == 1 else { return series }
        return series.sorted { left, right in
            let (a, b) = (left.values[0], right.values[0])
            if a.isNaN || b.isNaN { return !a.isNaN && b.isNaN }
            return isDescending ? a > b : a < b
        }
    }

    private func sortedByLabel(
        _ argument: PromQLExpression, _ names: [String], _ steps: Steps, isDescending: Bool
    ) async throws(QueryError) -> [Series] {
        let series = try await vector(argument, steps)
        guard steps.count == 1 else { return series }
        return series.sorted { left, right in
            for name in names {
                let (a, b) = (left.labels[name] ?? "", right.labels[name] ?? "")
                if a == b { continue }
                let isBefore = NaturalOrder.precedes(a, b)
                return isBefore != isDescending
            }
            return isDescending ? right.labels < left.labels : left.labels < right.labels
        }
    }
}

/// The order in which people read numbers within text: `a2` before `a10`.
enum NaturalOrder {
    static func precedes(_ left: String, _ right: String) -> Bool {
        var (a, b) = (left.utf8[...], right.utf8[...])
        while let x = a.first, let y = b.first {
            if x.isDigit && y.isDigit {
                let (p, q) = (a.prefix(while: \.isDigit), b.prefix(while: \.isDigit))
                let (m, n) = (p.drop { $0 == UInt8(ascii: "0") }, q.drop { $0 == UInt8(ascii: "0") })
                if m.count != n.count { return m.count < n.count }
                if !m.elementsEqual(n) { return m.lexicographicallyPrecedes(n) }
                if p.count != q.count { return p.count < q.count }
                a = a.dropFirst(p.count)
                b = b.dropFirst(q.count)
            } else {
                if x != y { return x < y }
                a = a.dropFirst()
                b = b.dropFirst()
            }
        }
        return a.isEmpty && !b.isEmpty
    }
}
