import Query
import Telemetry

extension RangeFunction {
    /// `rate`, `increase`, `delta`, `irate`, `idelta`.
    static let rateFamily: [String: RangeFunction] = [
        "rate": RangeFunction { window, call throws(QueryError) in
            extrapolated(window, call, isCounter: true, isRate: true)
        },
        "increase": RangeFunction { window, call throws(QueryError) in
            extrapolated(window, call, isCounter: true, isRate: false)
        },
        "delta": RangeFunction { window, call throws(QueryError) in
            extrapolated(window, call, isCounter: false, isRate: false)
        },
        "irate": RangeFunction { window, call throws(QueryError) in instant(window, call, isRate: true) },
        "idelta": RangeFunction { window, call throws(QueryError) in instant(window, call, isRate: false) }
    ]

    private static func extrapolated(_ window: RangeWindow, _ call: RangeCall, isCounter: Bool, isRate: Bool)
        -> RangePoint
    {
        if window.isMixed {
            call.annotations.mixedFloatsAndHistograms(call.metricName, at: call.place)
            return .none
        }
        if !window.histograms.isEmpty {
            let starts = StartTimes(window.histogramStarts, window.histogramTimes)
            let zero = isCounter ? starts.zero(after: window.start) : nil
            if isCounter, starts.overlap { call.annotations.overlappingStart(call.metricName, at: call.place) }
            guard let increase = increase(window, starts, call, isCounter: isCounter, fromZero: zero != nil) else {
                return .none
            }
            let factor = Extrapolation.factor(
                window.histogramTimes, window, isCounter: isCounter, isRate: isRate, first: window.histograms[0].count,
                increase: increase.count, zero: zero)
            var result = increase.scaled(by: factor)
            result.resetHint = .gauge
            return RangePoint(result)
        }
        let starts = StartTimes(window.starts, window.times)
        let zero = isCounter ? starts.zero(after: window.start) : nil
        if isCounter, starts.overlap { call.annotations.overlappingStart(call.metricName, at: call.place) }
        guard window.values.count > 1 || zero != nil else { return .none }
        var increase = window.values[window.values.count - 1] - (zero == nil ? window.values[0] : 0)
        if isCounter {
            for index in window.values.indices.dropFirst()
            where window.values[index] < window.values[index - 1] || starts.isNew(index) {
                increase += window.values[index - 1]
            }
        }
        let factor = Extrapolation.factor(
            window.times, window, isCounter: isCounter, isRate: isRate, first: window.values[0], increase: increase,
            zero: zero)
        return RangePoint(increase * factor)
    }

    /// What counter resets took away.
    static func resetCorrection(_ values: UnsafeBufferPointer<Double>) -> Double {
        var correction = 0.0
        for index in 1..<values.count where values[index] < values[index - 1] { correction += values[index - 1] }
        return correction
    }

    /// - Parameter fromZero: the counter was zero within the window, before its first sample.
    private static func increase(
        _ window: RangeWindow, _ starts: StartTimes, _ call: RangeCall, isCounter: Bool, fromZero: Bool
    ) -> NativeHistogram? {
        let histograms = window.histograms
        guard histograms.count > 1 || fromZero else { return nil }
        var previous = histograms[0]
        let last = histograms[histograms.count - 1]
        var usesCustomBounds = previous.usesCustomBounds
        if isCounter, previous.resetHint == .gauge || last.resetHint == .gauge {
            call.annotations.notACounter(call.metricName, at: call.place)
        }
        if isCounter, !fromZero, histograms[1].isReset(after: previous) || starts.isNew(1) {
            // After a reset the first sample does not matter, nor do its buckets have to fit.
            previous = NativeHistogram(schema: histograms[1].schema, customBounds: histograms[1].customBounds)
            usesCustomBounds = histograms[1].usesCustomBounds
        }
        var coarsest = min(previous.schema, last.schema)
        for histogram in histograms.dropFirst() {
            guard histogram.usesCustomBounds == usesCustomBounds else {
                call.annotations.mixedSchemas(call.metricName, at: call.place)
                return nil
            }
            guard isCounter else { continue }
            if histogram.resetHint == .gauge { call.annotations.notACounter(call.metricName, at: call.place) }
            coarsest = min(coarsest, histogram.schema)
        }
        if !isCounter, histograms[0].resetHint != .gauge || last.resetHint != .gauge {
            call.annotations.notAGauge(call.metricName, at: call.place)
        }
        do {
            var result = last
            result.reduceResolution(to: coarsest)
            if !fromZero, try result.subtract(previous).boundsReconciled {
                call.annotations.reconciledBounds(during: "subtraction", at: call.place)
            }
            if isCounter {
                for index in histograms.indices.dropFirst() {
                    let histogram = histograms[index]
                    if histogram.isReset(after: previous) || starts.isNew(index),
                        try result.add(previous).boundsReconciled
                    {
                        call.annotations.reconciledBounds(during: "addition", at: call.place)
                    }
                    previous = histogram
                }
            }
            result.resetHint = .gauge
            return result
        } catch {
            call.annotations.mixedSchemas(call.metricName, at: call.place)
            return nil
        }
    }

    /// From the last two samples alone.
    private static func instant(_ window: RangeWindow, _ call: RangeCall, isRate: Bool) -> RangePoint {
        guard window.count >= 2 else { return .none }
        let (floats, natives) = (window.values.count, window.histograms.count)
        let newestFloat = floats > 0 ? window.times[floats - 1] : .min
        let newestHistogram = natives > 0 ? window.histogramTimes[natives - 1] : .min
        // Both of the last two must be of one kind.
        if newestFloat > newestHistogram {
            guard floats >= 2, window.times[floats - 2] > newestHistogram else { return mixed(call) }
            let (last, previous) = (window.values[floats - 1], window.values[floats - 2])
            let interval = newestFloat - window.times[floats - 2]
            let isReset = last < previous || StartTimes(window.starts, window.times).isNew(floats - 1)
            let change = isRate && isReset ? last : last - previous
            return RangePoint(isRate ? change / (Double(interval) / 1000) : change)
        }
        guard natives >= 2, window.histogramTimes[natives - 2] > newestFloat else { return mixed(call) }
        let (last, previous) = (window.histograms[natives - 1], window.histograms[natives - 2])
        let interval = newestHistogram - window.histogramTimes[natives - 2]
        let gauges = (last.resetHint == .gauge, previous.resetHint == .gauge)
        if isRate, gauges.0 || gauges.1 { call.annotations.notACounter(call.metricName, at: call.place) }
        if !isRate, !gauges.0 || !gauges.1 { call.annotations.notAGauge(call.metricName, at: call.place) }
        var result = last
        let isNew = StartTimes(window.histogramStarts, window.histogramTimes).isNew(natives - 1)
        if !isRate || !(isNew || last.isReset(after: previous)) {
            do {
                if try result.subtract(previous).boundsReconciled {
                    call.annotations.reconciledBounds(during: "subtraction", at: call.place)
                }
            } catch {
                call.annotations.mixedSchemas(call.metricName, at: call.place)
                return .none
            }
        }
        if isRate { result = result.divided(by: Double(interval) / 1000) }
        result.resetHint = .gauge
        return RangePoint(result)
    }

    private static func mixed(_ call: RangeCall) -> RangePoint {
        call.annotations.mixedFloatsAndHistograms(call.metricName, at: call.place)
        return .none
    }
}

/// How far the samples of a window stand for the whole of it (Prometheus, `extrapolatedRate`).
enum Extrapolation {
    /// What the increase between the first and the last sample is to be multiplied with.
    @inline(__always)
    static func factor(
        _ times: UnsafeBufferPointer<Int64>, _ window: RangeWindow, isCounter: Bool, isRate: Bool, first: Double,
        increase: Double,
        zero: Int64?
    ) -> Double {
        if let zero {
            // The increase counts from a known zero: only the end is open, and of a single sample nothing is.
            let last = times[times.count - 1]
            let average = times.count > 1 ? Double(last - times[0]) / 1000 / Double(times.count - 1) : 0
            var toEnd = Double(window.end - last) / 1000
            if toEnd >= average * 1.1 { toEnd = average / 2 }
            let sampled = Double(last - zero) / 1000
            let factor = (sampled + toEnd) / sampled
            return isRate ? factor / (Double(window.length) / 1000) : factor
        }
        return factor(
            firstTime: times[0], lastTime: times[times.count - 1], count: times.count, start: window.start,
            end: window.end,
            isCounter: isCounter, isRate: isRate, first: first, increase: increase)
    }

    @inline(__always)
    static func factor(
        firstTime: Int64, lastTime: Int64, count: Int, start: Int64, end: Int64, isCounter: Bool, isRate: Bool,
        first: Double,
        increase: Double
    ) -> Double {
        var toStart = Double(firstTime - start) / 1000
        var toEnd = Double(end - lastTime) / 1000
        let sampled = Double(lastTime - firstTime) / 1000
        let average = sampled / Double(count - 1)
        // Samples that end nearer to the window's edge than the usual distance stand for all up to the edge.
        let threshold = average * 1.1
        if toStart >= threshold { toStart = average / 2 }
        if isCounter, increase > 0, first >= 0 {
            // A counter was never below zero: go back no further than to where it would have been.
            toStart = min(toStart, sampled * (first / increase))
        }
        if toEnd >= threshold { toEnd = average / 2 }
        let factor = (sampled + toStart + toEnd) / sampled
        return isRate ? factor / (Double(end - start) / 1000) : factor
    }
}

/// `rate`, `increase` and `delta` of a series of floats: the hot loop of most dashboards, without a call for each window.
struct SimpleRate: Sendable {
    private let isCounter: Bool
    let isRate: Bool

    init?(_ name: String) {
        switch name {
        case "rate": (isCounter, isRate) = (true, true)
        case "increase": (isCounter, isRate) = (true, false)
        case "delta": (isCounter, isRate) = (false, false)
        default: return nil
        }
    }

    func evaluate(_ raw: RawSeries, _ windows: RangeWindows, _ steps: Steps, into output: inout [Double]) {
        // SAFETY: the buffers live as long as the arrays; indexes come from `WindowBounds`, which stays within them.
        raw.times.withUnsafeBufferPointer { times in
            raw.values.withUnsafeBufferPointer { values in
                // Without any reset in the series no window has to be walked.
                var hasReset = false
                if isCounter, values.count > 1 {
                    for index in 1..<values.count where values[index] < values[index - 1] {
                        hasReset = true
                        break
                    }
                }
                var bounds = WindowBounds()
                for step in 0..<steps.count {
                    let end = windows.ends.time(step)
                    let start = end - windows.length
                    bounds.move(times, start, end)
                    let range = bounds.range
                    guard range.count > 1 else { continue }
                    let (first, last) = (values[range.lowerBound], values[range.upperBound - 1])
                    var increase = last - first
                    if hasReset {
                        increase += RangeFunction.resetCorrection(UnsafeBufferPointer(rebasing: values[range]))
                    }
                    output[step] =
                        increase
                        * Extrapolation.factor(
                            firstTime: times[range.lowerBound], lastTime: times[range.upperBound - 1],
                            count: range.count, start: start,
                            end: end, isCounter: isCounter, isRate: isRate, first: first, increase: increase)
                }
            }
        }
    }

    /// The same with windows that have been worked out before, for all series with the same timestamps.
    func evaluate(
        _ values: [Double], _ table: WindowTable, _ ranges: RangeWindows, _ steps: Steps, into output: inout [Double]
    ) {
        let seconds = Double(ranges.length) / 1000
        // SAFETY: `high` is at most the count of the column that the table was made of, which is as long as `values`; there is a
        // window for each step, and `output` is as long. No buffer outlives its call.
        precondition(table.windows.count == output.count && (table.windows.last.map { Int($0.high) } ?? 0) <= values.count)
        table.windows.withUnsafeBufferPointer { windows in
            values.withUnsafeBufferPointer { values in
                output.withUnsafeMutableBufferPointer { output in
                    let hasReset = isCounter && Self.hasReset(values)
                    for step in windows.indices {
                        let window = windows[step]
                        let (low, high) = (Int(window.low), Int(window.high))
                        guard high - low > 1 else {
                            output[step] = Absent.value
                            continue
                        }
                        let first = values[low]
                        var increase = values[high - 1] - first
                        if hasReset {
                            increase += RangeFunction.resetCorrection(UnsafeBufferPointer(rebasing: values[low..<high]))
                        }
                        if isCounter, increase > 0, first >= 0, window.sampled * first < window.toStart * increase {
                            // A counter was never below zero: go back no further than to where it would have been.
                            let toStart = min(window.toStart, window.sampled * (first / increase))
                            let factor = (window.sampled + toStart + window.toEnd) / window.sampled
                            output[step] = increase * (isRate ? factor / seconds : factor)
                        } else {
                            output[step] = increase * window.factor
                        }
                    }
                }
            }
        }
    }

    /// Whether the values fall anywhere; without a branch for each.
    private static func hasReset(_ values: UnsafeBufferPointer<Double>) -> Bool {
        guard values.count > 1 else { return false }
        var found: UInt64 = 0
        for index in 1..<values.count { found |= values[index] < values[index &- 1] ? 1 : 0 }
        return found != 0
    }
}
