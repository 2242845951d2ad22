import Query
import Telemetry

extension RangeFunction {
    /// `last_over_time` and others that pick a sample, or its time.
    static let selectionFamily: [String: RangeFunction] = [
        "last_over_time": RangeFunction(keepsName: true) { window, _ throws(QueryError) in
            guard let histogram = window.histograms.last, let time = window.histogramTimes.last,
                time > window.times.last ?? .min
            else { return window.values.last.map { RangePoint($0) } ?? .none }
            return RangePoint(histogram)
        },
        "first_over_time": RangeFunction(keepsName: true) { window, _ throws(QueryError) in
            guard let histogram = window.histograms.first, let time = window.histogramTimes.first,
                time < window.times.first ?? .max
            else { return window.values.first.map { RangePoint($0) } ?? .none }
            return RangePoint(histogram)
        },
        "ts_of_last_over_time": RangeFunction { window, _ throws(QueryError) in
            RangePoint(Double(max(window.times.last ?? .min, window.histogramTimes.last ?? .min)) / 1000)
        },
        "ts_of_first_over_time": RangeFunction { window, _ throws(QueryError) in
            RangePoint(Double(min(window.times.first ?? .max, window.histogramTimes.first ?? .max)) / 1000)
        },
        "ts_of_min_over_time": timeOfExtreme { $0 < $1 },
        "ts_of_max_over_time": timeOfExtreme { $0 > $1 }
    ]

    /// The time of the smallest or largest float, the last of equal ones.
    private static func timeOfExtreme(_ precedes: @escaping @Sendable (Double, Double) -> Bool) -> RangeFunction {
        RangeFunction { window, call throws(QueryError) in
            guard let position = extreme(window.values, precedes, isLast: true) else { return .none }
            call.noteIgnoredHistograms(window)
            return RangePoint(Double(window.times[position]) / 1000)
        }
    }
}
