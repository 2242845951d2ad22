import Query
import Telemetry

extension RangeFunction {
    /// `deriv`, `predict_linear`, `double_exponential_smoothing`.
    static let regressionFamily: [String: RangeFunction] = [
        "deriv": RangeFunction { window, call throws(QueryError) in
            guard hasTwoFloats(window, call) else { return .none }
            return RangePoint(linearRegression(window, interceptTime: window.times[0]).slope)
        },
        "predict_linear": RangeFunction { window, call throws(QueryError) in
            guard hasTwoFloats(window, call) else { return .none }
            let line = linearRegression(window, interceptTime: window.evaluationTime)
            return RangePoint(line.slope * call.parameters[0][window.step] + line.intercept)
        },
        "double_exponential_smoothing": RangeFunction { window, call throws(QueryError) in
            guard hasTwoFloats(window, call) else { return .none }
            return RangePoint(
                smoothed(
                    window.values, factor: call.parameters[0][window.step], trendFactor: call.parameters[1][window.step]
                ))
        }
    ]

    private static func hasTwoFloats(_ window: RangeWindow, _ call: RangeCall) -> Bool {
        if !window.values.isEmpty { call.noteIgnoredHistograms(window) }
        return window.values.count >= 2
    }

    /// Least squares; x counts seconds from `interceptTime`.
    private static func linearRegression(_ window: RangeWindow, interceptTime: Int64) -> (
        slope: Double, intercept: Double
    ) {
        let first = window.values[0]
        if window.values.allSatisfy({ $0 == first }) {
            return first.isInfinite ? (.nan, .nan) : (0, first)
        }
        var (sumX, sumY, sumXY, sumX2) = (CompensatedSum(), CompensatedSum(), CompensatedSum(), CompensatedSum())
        for (time, value) in zip(window.times, window.values) {
            let x = Double(time - interceptTime) / 1000
            sumX.add(x)
            sumY.add(value)
            sumXY.add(x * value)
            sumX2.add(x * x)
        }
        let count = Double(window.values.count)
        func total(_ sum: CompensatedSum) -> Double { sum.sum + sum.compensation }
        let covariance = total(sumXY) - total(sumX) * total(sumY) / count
        let variance = total(sumX2) - total(sumX) * total(sumX) / count
        let slope = covariance / variance
        return (slope, total(sumY) / count - slope * total(sumX) / count)
    }

    /// Holt's linear method ("double exponential").
    private static func smoothed(_ values: UnsafeBufferPointer<Double>, factor: Double, trendFactor: Double) -> Double {
        var (before, level) = (0.0, values[0])
        var trend = values[1] - values[0]
        for index in 1..<values.count {
            if index > 1 { trend = trendFactor * (level - before) + (1 - trendFactor) * trend }
            let next = factor * values[index] + (1 - factor) * (level + trend)
            (before, level) = (level, next)
        }
        return level
    }
}
