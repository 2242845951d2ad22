import Settings
import Telemetry

/// `static_labels`: labels with fixed values.
struct StaticLabelsStage: Stage {
    private let labels: [Label]

    init(_ options: StageOptions, _: inout StageContext) throws(ConfigurationError) {
        let pairs = try options.node.pairs
        guard !pairs.isEmpty else { throw options.key.error("static_labels is empty: name at least one label") }
        var labels: [Label] = []
        for (key, value) in pairs {
            let text = try value.string
            // As in Promtail, a label without a value is left as it is.
            if !text.isEmpty { labels.append(Label(try key.nonEmptyString, text)) }
        }
        self.labels = labels
    }

    mutating func process(_ entry: inout StageEntry, _: inout StageRun) -> Bool {
        for label in labels { entry.labels[label.name] = label.value }
        return true
    }
}
