/// Writes families in Prometheus' text format 0.0.4 or in OpenMetrics 1.0.
///
/// - SeeAlso: <https://prometheus.io/docs/instrumenting/exposition_formats/>
package enum PrometheusText {
    package enum Format: Sendable {
        case text, openMetrics

        package var contentType: String {
            switch self {
            case .text: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }

        /// OpenMetrics for those who name it; it alone carries exemplars.
        package static func accepted(_ header: String?) -> Format {
            header?.lowercased().contains("application/openmetrics-text") == true ? .openMetrics : .text
        }
    }

    package static func write(_ registry: PrometheusRegistry, as format: Format) -> String {
        var text = ""
        for family in registry.snapshot() { write(family, as: format, to: &text) }
        if format == .openMetrics { text += "# EOF\n" }
        return text
    }

    private static func write(_ family: MetricFamily, as format: Format, to text: inout String) {
        // OpenMetrics names a counter's family without the suffix of its one sample.
        let isCounter = family.kind == .counter && format == .openMetrics && family.name.hasSuffix("_total")
        let name = isCounter ? String(family.name.dropLast(6)) : family.name
        if !family.help.isEmpty { text += "# HELP \(name) \(escapedHelp(family.help, as: format))\n" }
        text += "# TYPE \(name) \(family.kind.rawValue)\n"
        for (labels, instrument) in family.series.sorted(by: { $0.key.text < $1.key.text }) {
            switch instrument {
            case let counter as PrometheusCounter: text += "\(family.name)\(labels.braced) \(number(counter.current))\n"
            case let gauge as PrometheusGauge: text += "\(family.name)\(labels.braced) \(number(gauge.current))\n"
            case let histogram as PrometheusHistogram: write(histogram, family.name, labels, as: format, to: &text)
            default: break
            }
        }
    }

    private static func write(
        _ histogram: PrometheusHistogram, _ name: String, _ labels: LabelText, as format: Format, to text: inout String
    ) {
        let state = histogram.current
        var cumulative: UInt64 = 0
        for (index, count) in state.counts.enumerated() {
            cumulative &+= count
            let bound =
                index < histogram.bounds.count
                ? number(histogram.bounds[index], asFloat: format == .openMetrics) : "+Inf"
            text += "\(name)_bucket\(labels.adding("le=\"\(bound)\"")) \(cumulative)"
            if format == .openMetrics, let exemplar = state.exemplars[index] {
                text +=
                    " # {trace_id=\"\(exemplar.traceID)\"} \(number(exemplar.value)) \(seconds(exemplar.nanoseconds))"
            }
            text += "\n"
        }
        text += "\(name)_sum\(labels.braced) \(number(state.sum))\n"
        text += "\(name)_count\(labels.braced) \(cumulative)\n"
    }

    /// - Parameter asFloat: write 1 as 1.0, the form that OpenMetrics wants for a bucket's bound.
    private static func number(_ value: Double, asFloat: Bool = false) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if !asFloat, value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return "\(value)"
    }

    private static func seconds(_ nanoseconds: UInt64) -> String {
        let milliseconds = String(nanoseconds / 1_000_000 % 1000)
        let zeros = String(repeating: "0", count: 3 - milliseconds.utf8.count)
        return "\(nanoseconds / 1_000_000_000).\(zeros)\(milliseconds)"
    }

    private static func escapedHelp(_ help: String, as format: Format) -> String {
        var escaped = ""
        for character in help.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where format == .openMetrics: escaped += "\\\""
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
