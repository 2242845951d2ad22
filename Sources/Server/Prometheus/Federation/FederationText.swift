import Formats
import PromQL
import Telemetry

/// Families in Prometheus' text (version 0.0.4), as `/federate` gives them.
enum FederationText {
    static func encode(_ families: [ExposedFamily]) -> [UInt8] {
        var text = ""
        for family in families {
            let isPlain = isMetricName(family.name)
            text += "# TYPE \(isPlain ? family.name : family.name.quoted) \(family.kind == .untyped ? "untyped" : "histogram")\n"
            for metric in family.metrics {
                switch metric.value {
                case .number(let value): line(family.name, "", metric, nil, value, &text)
                case .histogram(let histogram):
                    for bucket in ExposedFamily.cumulativeBuckets(histogram) {
                        line(family.name, "_bucket", metric, PromQLNumber.formatGeneral(bucket.bound), bucket.count, &text)
                    }
                    line(family.name, "_bucket", metric, "+Inf", histogram.count, &text)
                    line(family.name, "_sum", metric, nil, histogram.sum, &text)
                    line(family.name, "_count", metric, nil, histogram.count, &text)
                }
            }
        }
        return Array(text.utf8)
    }

    private static func line(
        _ family: String, _ suffix: String, _ metric: ExposedFamily.Metric, _ bound: String?, _ value: Double, _ text: inout String
    ) {
        let name = family + suffix
        let isPlain = isMetricName(name)
        var pairs = metric.labels.map { "\($0.name.isLabelIdentifier ? $0.name : $0.name.quoted)=\"\(escaped($0.value))\"" }
        if let bound { pairs.append("le=\"\(bound)\"") }
        if !isPlain { pairs.insert(name.quoted, at: 0) }
        text += "\(isPlain ? name : "")\(pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}") "
        text += "\(PromQLNumber.formatGeneral(value)) \(metric.timestamp)\n"
    }

    private static func isMetricName(_ name: String) -> Bool {
        String(name.map { $0 == ":" ? "_" : $0 }).isLabelIdentifier
    }

    private static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return value }
        return value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
