import Telemetry
import Templates

/// What a template sees of a line: its labels. Labels that are not there are empty, as in Loki.
struct TemplateRow: TemplateData {
    var labels: RowLabels
    var line: ArraySlice<UInt8>
    /// Nanoseconds since the Unix epoch.
    var timestamp: Int64

    func value(_ name: String) -> TemplateValue { .string(labels.value(name)) }

    var all: [String: TemplateValue] {
        Dictionary(labels.final.pairs.map { ($0.name, .string($0.value)) }) { $1 }
    }
}
