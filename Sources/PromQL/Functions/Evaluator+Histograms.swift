import Query
import Telemetry

/// What belongs to one histogram: classic buckets and native histograms of the same labels.
private struct HistogramGroup {
    var labels: Labels
    var dropsName: Bool
    var buckets: [(bound: Double, series: Int)] = []
    var natives: [Int] = []
}

extension Evaluator {
    /// `histogram_quantile`, `histogram_quantiles`, `histogram_fraction`, on classic and native histograms alike.
    func histogramFunction(_ call: PromQLExpression.FunctionCall, _ steps: Steps) async throws(QueryError) -> [Series] {
        guard let position = call.arguments.firstIndex(where: { $0.type == .vector }) else { return [] }
        let argument = call.arguments[position]
        let input = try await vector(argument, steps)
        let groups = group(input, argument.place)
        let scalars = call.arguments.filter { $0.type == .scalar }
        var parameters: [[Double]] = []
        for scalar in scalars { parameters.append(try await self.scalar(scalar, steps)) }
        if call.function.name == "histogram_fraction" {
            return try evaluate(groups, input, argument.place, steps) { source, step in
                let (lower, upper) = (parameters[0][step], parameters[1][step])
                switch source {
                case .classic(let histogram, _): return histogram.fraction(from: lower, to: upper)
                case .native(let histogram, let metric):
                    if histogram.bucketedCount < histogram.count {
                        self.annotations.excludedNaNs(metric, at: argument.place)
                    }
                    return histogram.fraction(from: lower, to: upper)
                }
            }.merged()
        }
        let label = call.function.name == "histogram_quantiles" ? string(call.arguments[1]) : nil
        var result: [Series] = []
        for (scalar, quantiles) in zip(scalars, parameters) {
            for quantile in quantiles where !(quantile >= 0 && quantile <= 1) {
                annotations.invalidQuantile(quantile, at: scalar.place)
            }
            var series = try evaluate(groups, input, argument.place, steps) { source, step in
                self.quantile(quantiles[step], source, argument.place)
            }
            if let label {
                let text = quantiles.first.map(PromQLNumber.formatOpenMetrics) ?? ""
                for index in series.indices { series[index].labels[label] = text }
            }
            result += series
        }
        return try result.merged()
    }

    private enum HistogramSource {
        case classic(ClassicHistogram, String)
        case native(NativeHistogram, String)

    }

    private func quantile(_ quantile: Double, _ source: HistogramSource, _ place: SourceRange) -> Double {
        switch source {
        case .classic(var histogram, let metric):
            let value = histogram.quantile(quantile)
            if histogram.wasForcedMonotonic { annotations.forcedMonotonic(metric, at: place) }
            return value
        case .native(let histogram, let metric):
            let (value, effect) = histogram.quantile(quantile)
            switch effect {
            case .none: break
            case .result: annotations.quantileIsNaN(metric, at: place)
            case .skewed: annotations.quantileIsSkewed(metric, at: place)
            }
            return value
        }
    }

    /// Puts buckets together by their labels without `le`.
    private func group(_ input: [Series], _ place: SourceRange) -> [HistogramGroup] {
        var positions: [Labels: Int] = [:]
        var groups: [HistogramGroup] = []
        for (index, series) in input.enumerated() {
            var labels = series.labels
            if series.hasHistograms {
                let key = labels
                let position = positions[key] ?? groups.count
                if position == groups.count {
                    positions[key] = position
                    groups.append(HistogramGroup(labels: labels, dropsName: series.dropsName))
                }
                groups[position].natives.append(index)
                if !series.values.contains(where: { !Absent.holds($0) }) { continue }
            }
            let text = labels["le"] ?? ""
            guard let bound = PromQLNumber.parse(text) else {
                annotations.badBucketLabel(text, series.metricName, at: place)
                continue
            }
            labels["le"] = nil
            let position = positions[labels] ?? groups.count
            if position == groups.count {
                positions[labels] = position
                groups.append(HistogramGroup(labels: labels, dropsName: series.dropsName))
            }
            groups[position].buckets.append((bound, index))
        }
        return groups
    }

    /// Calls `function` for each group at each step at which it has a histogram of one kind.
    private func evaluate(
        _ groups: [HistogramGroup], _ input: [Series], _ place: SourceRange, _ steps: Steps,
        _ function: (HistogramSource, Int) -> Double
    ) throws(QueryError) -> [Series] {
        var result: [Series] = []
        for group in groups {
            try context.check()
            var series = Series(labels: group.labels, dropsName: group.dropsName, stepCount: steps.count)
            let metric = series.metricName
            var buckets: [ClassicHistogram.Bucket] = []
            for step in 0..<steps.count {
                buckets.removeAll(keepingCapacity: true)
                for (bound, position) in group.buckets where !Absent.holds(input[position].values[step]) {
                    buckets.append(.init(upperBound: bound, count: input[position].values[step]))
                }
                let native = group.natives.lazy.compactMap { input[$0].histogram(at: step) }.first
                if let native {
                    if !buckets.isEmpty {
                        annotations.mixedClassicAndNative(metric, at: place)
                    } else {
                        series.values[step] = function(.native(native, metric), step)
                    }
                } else if !buckets.isEmpty {
                    series.values[step] = function(.classic(ClassicHistogram(buckets), metric), step)
                }
            }
            guard !series.isEmpty else { continue }
            dropName(&series)
            result.append(series)
        }
        return result
    }
}

extension Annotations {
    func forcedMonotonic(_ metric: String, at place: SourceRange) {
        inform(
            "input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/"
                + "functions/#histogram_quantile) for metric name \(metric.quoted)", at: place)
    }
    func quantileIsNaN(_ metric: String, at place: SourceRange) {
        inform(
            "input to histogram_quantile has NaN observations, result is NaN for metric name \(metric.quoted)",
            at: place)
    }
    func quantileIsSkewed(_ metric: String, at place: SourceRange) {
        inform(
            "input to histogram_quantile has NaN observations, result is skewed higher for metric name \(metric.quoted)",
            at: place)
    }
    func excludedNaNs(_ metric: String, at place: SourceRange) {
        inform(
            "input to histogram_fraction has NaN observations, which are excluded from all fractions for metric name \(metric.quoted)",
            at: place)
    }
}
