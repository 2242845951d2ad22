import Foundation
import Query
import Telemetry

extension RangeFunction {
    /// `sum_over_time` and the other aggregations of a window.
    static let aggregationFamily: [String: RangeFunction] = [
        "sum_over_time": RangeFunction { window, call throws(QueryError) in
            combined(window, call, isMean: false) { values in
                var sum = CompensatedSum()
                for value in values { sum.add(value) }
                return sum.value
            }
        },
        "avg_over_time": RangeFunction { window, call throws(QueryError) in
            combined(window, call, isMean: true) { values in
                CompensatedMean.of(values)
            }
        },
        "count_over_time": RangeFunction { window, _ throws(QueryError) in RangePoint(Double(window.count)) },
        "present_over_time": RangeFunction { _, _ throws(QueryError) in RangePoint(1) },
        "min_over_time": floats { values, _, _ in extreme(values) { $0 < $1 }.map { values[$0] } },
        "max_over_time": floats { values, _, _ in extreme(values) { $0 > $1 }.map { values[$0] } },
        "stddev_over_time": floats { values, _, _ in variance(values).squareRoot() },
        "stdvar_over_time": floats { values, _, _ in variance(values) },
        "quantile_over_time": floats { values, window, call in
            Quantile.of(call.parameters[0][window.step], Array(values))
        },
        "mad_over_time": floats { values, _, _ in
            if values.contains(where: \.isNaN) { return .nan }
            let median = Quantile.of(0.5, Array(values))
            return Quantile.of(0.5, values.map { ($0 - median).magnitude })
        }
    ]

    /// A function of the floats alone; histograms beside them are left out with a notice.
    private static func floats(
        _ function: @escaping @Sendable (UnsafeBufferPointer<Double>, RangeWindow, RangeCall) -> Double?
    ) -> RangeFunction {
        RangeFunction { window, call throws(QueryError) in
            guard !window.values.isEmpty else { return .none }
            call.noteIgnoredHistograms(window)
            return function(window.values, window, call).map { RangePoint($0) } ?? .none
        }
    }

    /// The position of the value that goes before all others; NaN goes last.
    static func extreme(
        _ values: UnsafeBufferPointer<Double>, _ precedes: (Double, Double) -> Bool, isLast: Bool = false
    ) -> Int? {
        guard !values.isEmpty else { return nil }
        var best = 0
        for index in values.indices {
            let (value, held) = (values[index], values[best])
            if precedes(value, held) || held.isNaN || (isLast && value == held) { best = index }
        }
        return best
    }

    /// Welford's algorithm with compensated sums.
    static func variance(_ values: UnsafeBufferPointer<Double>) -> Double {
        var count = 0.0
        var mean = CompensatedSum()
        var squares = CompensatedSum()
        for value in values {
            count += 1
            let delta = value - mean.value
            mean.add(delta / count)
            squares.add(delta * (value - mean.value))
        }
        return squares.value / count
    }

    /// A sum or mean, of floats or of histograms, but not of both.
    private static func combined(
        _ window: RangeWindow, _ call: RangeCall, isMean: Bool, _ floats: (UnsafeBufferPointer<Double>) -> Double
    ) -> RangePoint {
        if window.isMixed {
            call.annotations.mixedFloatsAndHistograms(call.metricName, at: call.place)
            return .none
        }
        guard !window.histograms.isEmpty else { return RangePoint(floats(window.values)) }
        var sum = HistogramSum()
        for histogram in window.histograms {
            do { try sum.add(histogram) } catch {
                call.annotations.mixedSchemas(call.metricName, at: call.place)
                return .none
            }
        }
        sum.report(to: call.annotations, at: call.place)
        return (isMean ? sum.mean : sum.total).map { RangePoint($0) } ?? .none
    }
}

/// Quantiles of floats.
enum Quantile {
    /// The φ-quantile with linear interpolation; NaN counts as the smallest value.
    static func of(_ quantile: Double, _ values: [Double]) -> Double {
        guard !values.isEmpty, !quantile.isNaN else { return .nan }
        if quantile < 0 { return -.infinity }
        if quantile > 1 { return .infinity }
        let sorted = values.sorted { $0.isNaN ? !$1.isNaN : $0 < $1 }
        let rank = quantile * Double(sorted.count - 1)
        let lower = max(0, Int(rank.rounded(.down)))
        let upper = min(sorted.count - 1, lower + 1)
        let weight = rank - rank.rounded(.down)
        return sorted[lower] * (1 - weight) + sorted[upper] * weight
    }
}
