import Query
import Telemetry

extension RangeFunction {
    /// `changes` and `resets`: how often a sample differs from the one before it.
    static let changeFamily: [String: RangeFunction] = [
        "changes": RangeFunction { window, _ throws(QueryError) in
            RangePoint(
                count(
                    window, floats: { $1 != $0 && !($0.isNaN && $1.isNaN) },
                    histograms: { !$1.hasSameObservations(as: $0) }))
        },
        "resets": RangeFunction { window, _ throws(QueryError) in
            RangePoint(count(window, floats: { $1 < $0 }, histograms: { $1.isReset(after: $0) }, countsStarts: true))
        }
    ]

    /// How many neighbours satisfy a condition; a change between float and histogram always counts.
    private static func count(
        _ window: RangeWindow, floats: (Double, Double) -> Bool, histograms: (NativeHistogram, NativeHistogram) -> Bool,
        countsStarts: Bool = false
    ) -> Double {
        var total = 0
        var (float, native) = (0, 0)
        var wasFloat: Bool?
        while float < window.values.count || native < window.histograms.count {
            let isFloat =
                native == window.histograms.count
                || (float < window.values.count && window.times[float] < window.histogramTimes[native])
            if let wasFloat {
                if wasFloat != isFloat {
                    total += 1
                } else if isFloat {
                    let isNew = countsStarts && StartTimes(window.starts, window.times).isNew(float)
                    if isNew || floats(window.values[float - 1], window.values[float]) { total += 1 }
                } else {
                    let isNew = countsStarts && StartTimes(window.histogramStarts, window.histogramTimes).isNew(native)
                    if isNew || histograms(window.histograms[native - 1], window.histograms[native]) { total += 1 }
                }
            }
            if isFloat { float += 1 } else { native += 1 }
            wasFloat = isFloat
        }
        return Double(total)
    }
}
