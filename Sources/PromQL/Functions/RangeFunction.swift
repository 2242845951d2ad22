import Query
import Telemetry

/// A function over a range vector: what it makes of one window.
struct RangeFunction: Sendable {
    /// The value is one of the metric's own, so it keeps the name.
    var keepsName = false
    var evaluate: @Sendable (RangeWindow, RangeCall) throws(QueryError) -> RangePoint

    /// All of them but `absent_over_time`, one family a file.
    static func named(_ name: String) -> RangeFunction? { table[name] }

    private static let table: [String: RangeFunction] = {
        var table: [String: RangeFunction] = [:]
        for family in [rateFamily, aggregationFamily, selectionFamily, regressionFamily, changeFamily] {
            table.merge(family) { first, _ in first }
        }
        return table
    }()
}

/// What a range function knows beside its window.
struct RangeCall {
    let annotations: Annotations
    let labels: Labels
    /// The place of the range vector in the query.
    let place: SourceRange
    /// The scalar arguments, a column each.
    let parameters: [[Double]]

    var metricName: String { labels[Labels.metricName] ?? "" }

    /// Says that histograms were left out, where there were floats beside them.
    func noteIgnoredHistograms(_ window: RangeWindow) {
        if window.isMixed { annotations.ignoredHistogramsInMixedRange(metricName, at: place) }
    }
}

extension RangePoint {
    static let none = RangePoint()

    init(_ value: Double) { self.value = value }
    init(_ histogram: NativeHistogram) { self.histogram = histogram }
}

extension Evaluator {
    /// Calls a range function for every series of its range vector.
    func rangeCall(_ call: PromQLExpression.FunctionCall, _ steps: Steps) async throws(QueryError) -> [Series] {
        guard let function = RangeFunction.named(call.function.name),
            let position = call.arguments.firstIndex(where: { $0.type == .matrix })
        else { throw QueryError(.execution, "unknown function with name \(call.function.name.quoted)") }
        var parameters: [[Double]] = []
        for (index, argument) in call.arguments.enumerated() where index != position {
            parameters.append(try await scalar(argument, steps))
        }
        try checkParameters(call, parameters)
        let argument = call.arguments[position]
        let name = call.function.name
        let isCounterRate = name == "rate" || name == "increase"
        let simpleRate = SimpleRate(name)
        let boundary = if case .range(let node) = argument.unwrapped { node.selector.boundary } else { PromQLExpression.Boundary.extrapolated }
        let extended = try ExtendedRange(name, boundary)
        let scalars = parameters
        let evaluate: @Sendable (inout RawSeries, RangeWindows) throws(QueryError) -> Series? = {
            raw, windows throws(QueryError) in
            try self.context.check()
            try self.context.reserve(bytes: steps.count * 8)
            var series = Series(labels: raw.labels, dropsName: raw.dropsName, stepCount: steps.count)
            if let simpleRate, boundary == .extrapolated, raw.histograms.isEmpty, raw.starts.isEmpty {
                simpleRate.evaluate(raw, windows, steps, into: &series.values)
            } else {
                let context = RangeCall(
                    annotations: self.annotations, labels: raw.labels, place: argument.place, parameters: scalars)
                try raw.forEachWindow(windows, steps) { window throws(QueryError) in
                    let point: RangePoint
                    if let extended {
                        point = extended.evaluate(window, context)
                    } else {
                        guard let window = boundary == .anchored ? window.anchored : window else { return }
                        point = try function.evaluate(window, context)
                    }
                    series.values[window.step] = point.value
                    if let histogram = point.histogram { series.set(histogram, at: window.step) }
                }
            }
            guard !series.isEmpty else { return nil }
            if isCounterRate { self.checkCounterName(raw, series, argument.place) }
            if !function.keepsName { self.dropName(&series) }
            return series
        }
        let result: [Series]
        if case .range(let node) = argument.unwrapped {
            let (windows, range) = try windows(node, steps)
            let parts = try await inChunks(streams(node.selector, in: range), stepCount: steps.count) { chunk throws(QueryError) -> [Series] in
                var result: [Series] = []
                try await self.load(node.selector, chunk, in: range, keepsStale: false) {
                    (raw: inout RawSeries) throws(QueryError) in
                    if let series = try evaluate(&raw, windows) { result.append(series) }
                }
                return result
            }
            result = parts.count == 1 ? parts[0] : Array(parts.joined())
        } else {
            var series: [Series] = []
            try await rangeVector(argument, steps) { (raw: inout RawSeries, windows: RangeWindows) throws(QueryError) in
                if let one = try evaluate(&raw, windows) { series.append(one) }
            }
            result = series
        }
        return try result.merged()
    }

    private func checkParameters(_ call: PromQLExpression.FunctionCall, _ parameters: [[Double]]) throws(QueryError) {
        switch call.function.name {
        case "quantile_over_time":
            for quantile in parameters[0] where !(quantile >= 0 && quantile <= 1) {
                annotations.invalidQuantile(quantile, at: call.arguments[0].place)
            }
        case "double_exponential_smoothing":
            for (index, title) in ["smoothing", "trend"].enumerated() {
                for factor in parameters[index] where !(factor >= 0 && factor <= 1) {
                    let name = index == 0 ? "sf" : "tf"
                    throw QueryError(
                        .execution,
                        "invalid \(title) factor. Expected: 0 <= \(name) <= 1, got: \(PromQLNumber.format(factor))")
                }
            }
        default: break
        }
    }

    private func checkCounterName(_ raw: RawSeries, _ series: Series, _ place: SourceRange) {
        if series.values.contains(where: { !Absent.holds($0) }) { checkCounterName(raw.metricName, place) }
    }

    /// A rate of something whose name is no counter's is probably a mistake.
    func checkCounterName(_ name: String, _ place: SourceRange) {
        guard !name.isEmpty, !["_total", "_sum", "_count", "_bucket"].contains(where: name.hasSuffix) else { return }
        annotations.possiblyNoCounter(name, at: place)
    }
}
