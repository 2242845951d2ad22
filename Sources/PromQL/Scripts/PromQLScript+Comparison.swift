import Patterns

import Telemetry

extension PromQLScript.Pattern {
    func matches(_ message: String) -> Bool {
        guard let text else { return true }
        guard isExpression else { return message == text }
        return (try? Pattern(text))?.matchesPart(message) ?? false
    }
}

extension PromQLScript.Evaluation {
    /// Throws what differs between the result and what the script states.
    func compare(_ result: PromQLResult) throws {
        try check("warning", warnings, noWarnings, result.warnings)
        try check("info", infos, noInfos, result.infos)
        switch result.value {
        case .scalar(_, let value):
            guard let scalar else { throw failure("expected \(wanted), got the scalar \(value)") }
            guard value.isClose(to: scalar) else { throw failure("expected \(PromQLNumber.format(scalar)), got \(PromQLNumber.format(value))") }
        case .string(_, let value):
            guard value == string else { throw failure("expected \(wanted), got the string \(value.quoted)") }
        case .vector(let samples):
            guard scalar == nil, string == nil, step == nil else { throw failure("expected \(wanted), got a vector of \(samples.count)") }
            try compare(samples)
        case .matrix(let matrix):
            guard scalar == nil, string == nil else { throw failure("expected \(wanted), got a matrix of \(matrix.count) series") }
            try compare(matrix)
        }
    }

    /// The result that the script states, in words.
    private var wanted: String {
        if let scalar { return "the scalar \(PromQLNumber.format(scalar))" }
        if let string { return "the string \(string.quoted)" }
        return step == nil && rangeVector == nil ? "a vector of \(series.count)" : "a matrix of \(series.count) series"
    }

    private func failure(_ message: String) -> ScriptError { ScriptError(line: line, message: message) }

    private func check(_ kind: String, _ patterns: [PromQLScript.Pattern], _ none: Bool, _ found: [String]) throws {
        if none && !found.isEmpty { throw failure("expected no \(kind), got \(found)") }
        guard !patterns.isEmpty else { return }
        if found.isEmpty { throw failure("expected a \(kind), got none") }
        for pattern in patterns where !found.contains(where: pattern.matches) {
            throw failure("expected a \(kind) that fits \(pattern.text ?? "-"), got \(found)")
        }
        for text in found where !patterns.contains(where: { $0.matches(text) }) {
            throw failure("expected no other \(kind), got \(text)")
        }
    }

    private func compare(_ samples: [VectorSample]) throws {
        var seen: Set<Labels> = []
        for (index, sample) in samples.enumerated() {
            guard let position = series.firstIndex(where: { $0.labels == sample.labels }),
                let expected = series[position].values.first
            else {
                throw failure("expected no \(sample.labels), got \(sample.value.scriptText)")
            }
            if isOrdered, position != index { throw failure("expected \(sample.labels) at position \(position), got it at \(index)") }
            guard seen.insert(sample.labels).inserted else { throw failure("expected \(sample.labels) once, got it twice") }
            try compare(sample.value, expected, sample.labels)
        }
        for missing in series where !seen.contains(missing.labels) { throw failure("expected \(missing.labels) \(missing.values.first?.scriptText ?? ""), got no such series") }
    }

    private func compare(_ found: PromQLSampleValue, _ expected: ScriptValue, _ labels: Labels) throws {
        switch (found, expected) {
        case (.float(let value), .float(let wanted)):
            guard value.isClose(to: wanted) else { throw failure("\(labels): expected \(PromQLNumber.format(wanted)), got \(PromQLNumber.format(value))") }
        case (.histogram(let value), .histogram(let wanted, let checksHint)):
            guard value.isClose(to: wanted), !checksHint || value.resetHint == wanted.resetHint else {
                throw failure(
                    "\(labels): expected \(wanted.promQLText) \(wanted.resetHint), got \(value.promQLText) \(value.resetHint)"
                )
            }
        default: throw failure("\(labels): expected \(expected.scriptText), got \(found.scriptText)")
        }
    }

    private func compare(_ matrix: [SeriesPoints]) throws {
        let (start, step) = rangeVector.map { ($0.start, $0.step) } ?? (self.start, self.step ?? 1)
        if zip(matrix, matrix.dropFirst()).contains(where: { !($0.labels < $1.labels) }) {
            throw failure("expected a sorted matrix, got one that is not")
        }
        var seen: Set<Labels> = []
        for points in matrix {
            guard let expected = series.first(where: { $0.labels == points.labels }) else {
                throw failure("expected no \(points.labels), got \(points.timestamps.count + points.histograms.count) samples")
            }
            seen.insert(points.labels)
            var (floats, histograms) = (0, 0)
            for (index, value) in expected.values.enumerated() {
                let time = start + Int64(index) * step
                switch value {
                case .none: continue
                case .float:
                    guard floats < points.timestamps.count, points.timestamps[floats] == time else {
                        throw failure(
                            "\(points.labels): expected \(value.scriptText) at \(time), got floats at \(points.timestamps)")
                    }
                    try compare(.float(points.values[floats]), value, points.labels)
                    floats += 1
                case .histogram:
                    guard histograms < points.histogramTimestamps.count, points.histogramTimestamps[histograms] == time
                    else {
                        throw failure("\(points.labels): expected \(value.scriptText) at \(time), got no histogram there")
                    }
                    try compare(.histogram(points.histograms[histograms]), value, points.labels)
                    histograms += 1
                }
            }
            guard floats == points.timestamps.count, histograms == points.histogramTimestamps.count else {
                let times = points.timestamps + points.histogramTimestamps
                throw failure(
                    "\(points.labels): expected \(floats + histograms) samples, got \(times.count), at \(times)")
            }
        }
        for missing in series where !seen.contains(missing.labels) && missing.values.contains(where: { $0 != .none }) {
            throw failure("expected \(missing.labels) \(missing.values.first?.scriptText ?? ""), got no such series")
        }
    }
}

extension ScriptValue {
    /// As a script writes it.
    var scriptText: String {
        switch self {
        case .none: "_"
        case .float(let value): Staleness.isMarker(value) ? "stale" : PromQLNumber.format(value)
        case .histogram(let histogram, _): histogram.promQLText
        }
    }
}

extension PromQLSampleValue {
    fileprivate var scriptText: String {
        switch self {
        case .float(let value): PromQLNumber.format(value)
        case .histogram(let histogram): histogram.promQLText
        }
    }
}

extension Double {
    /// The tolerance of Prometheus' runner.
    func isClose(to other: Double) -> Bool {
        if Staleness.isMarker(self) || Staleness.isMarker(other) {
            return Staleness.isMarker(self) && Staleness.isMarker(other)
        }
        if isNaN && other.isNaN || self == other { return true }
        let sum = magnitude + other.magnitude
        let difference = (self - other).magnitude
        if self == 0 || other == 0 || sum < .leastNormalMagnitude { return difference < 1e-6 * .leastNormalMagnitude }
        return difference / min(sum, .greatestFiniteMagnitude) < 1e-6
    }
}

extension NativeHistogram {
    /// Equal up to rounding; how the buckets are laid out does not matter.
    func isClose(to other: NativeHistogram) -> Bool {
        guard schema == other.schema, customBounds == other.customBounds, zeroThreshold == other.zeroThreshold,
            count.isClose(to: other.count),
            sum.isClose(to: other.sum), zeroCount.isClose(to: other.zeroCount)
        else { return false }
        return Self.isClose(filledBuckets(false), other.filledBuckets(false))
            && Self.isClose(filledBuckets(true), other.filledBuckets(true))
    }

    private static func isClose(_ a: [(Int32, Double)], _ b: [(Int32, Double)]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { $0.0 == $1.0 && $0.1.isClose(to: $1.1) }
    }

    private func filledBuckets(_ isNegative: Bool) -> [(Int32, Double)] {
        var index: Int32 = 0
        var next = 0
        var filled: [(Int32, Double)] = []
        for run in isNegative ? negativeRuns : positiveRuns {
            index += run.offset
            for _ in 0..<run.length {
                let count = (isNegative ? negativeCounts : positiveCounts)[next]
                if count != 0 { filled.append((index, count)) }
                index += 1
                next += 1
            }
        }
        return filled
    }
}
