import Telemetry

/// Why a probe did not succeed, in words for people.
struct ProbeFailure: Error, Sendable, Hashable, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// What one probe has found out so far: gauges that may be set more than once, and a log for people.
struct ProbeResults: Sendable {
    private struct Gauge: Sendable {
        let family: MetricFamily
        let values: [String]
        var value: Double
    }

    /// Lines kept for `debug=true`: a server that never stops talking must not fill the memory.
    private static let logLineCountMax = 1_000

    private var gauges: [Gauge] = []
    private(set) var lines: [String] = []

    mutating func set(_ family: MetricFamily, _ values: [String] = [], _ value: Double) {
        if let index = index(family, values) {
            gauges[index].value = value
        } else {
            gauges.append(Gauge(family: family, values: values, value: value))
        }
    }

    mutating func set(_ family: MetricFamily, _ value: Double) { set(family, [], value) }

    mutating func add(_ family: MetricFamily, _ values: [String], _ value: Double) {
        if let index = index(family, values) {
            gauges[index].value += value
        } else {
            gauges.append(Gauge(family: family, values: values, value: value))
        }
    }

    mutating func log(_ message: String, _ details: KeyValuePairs<String, String> = [:]) {
        guard lines.count < Self.logLineCountMax else { return }
        lines.append("msg=\(message.debugDescription)" + details.map { " \($0.key)=\($0.value.prefix(512).debugDescription)" }.joined())
    }

    func value(_ name: String, _ values: [String] = []) -> Double? {
        gauges.first { $0.family.name == name && $0.values == values }?.value
    }

    func record(into recorder: inout MetricRecorder) {
        for gauge in gauges { recorder.add(gauge.family, gauge.values, gauge.value) }
    }

    private func index(_ family: MetricFamily, _ values: [String]) -> Int? {
        gauges.firstIndex { $0.family === family && $0.values == values }
    }
}
