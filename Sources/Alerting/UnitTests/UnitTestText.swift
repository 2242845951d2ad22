import PromQL
import Telemetry

/// How promtool prints what a unit test expected and what it got.
enum UnitTestText {
    /// `{a="b"} 3E+00, {…} …`, or `nil`.
    static func samples(_ samples: [(labels: Labels, value: PromQLSampleValue)]) -> String {
        guard !samples.isEmpty else { return "nil" }
        return samples.map { sample in
            switch sample.value {
            case .float(let value): "\(sample.labels) \(PromQLNumber.formatScientific(value).uppercased())"
            case .histogram(let histogram): "\(sample.labels) \(histogram.scriptText)"
            }
        }.joined(separator: ", ")
    }

    /// A list of alerts, each with labels and annotations on lines of their own, indented.
    static func alerts(_ alerts: [(labels: Labels, annotations: Labels)]) -> String {
        guard !alerts.isEmpty else { return "[]" }
        let indent = String(repeating: " ", count: 12)
        let items = alerts.enumerated().map { index, alert in
            """
            \(indent)\(index):
            \(indent)  Labels:\(alert.labels)
            \(indent)  Annotations:\(alert.annotations)
            """
        }
        return "[\n\(items.joined(separator: ",\n"))\n\(indent)]"
    }
}

extension PromQLSampleValue {
    /// Equal, for a unit test: exactly, or up to the last bit.
    func equals(_ other: PromQLSampleValue, isFuzzy: Bool) -> Bool {
        switch (self, other) {
        case (.float(let a), .float(let b)): a == b || isFuzzy && (a.nextUp == b || a.nextDown == b)
        // How the buckets are laid out does not matter, everything else does: the hint too.
        case (.histogram(let a), .histogram(let b)): a.scriptText == b.scriptText
        default: false
        }
    }
}
