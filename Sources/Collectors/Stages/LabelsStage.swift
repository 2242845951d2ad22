import Settings
import Telemetry

/// `labels`: labels from what was found in a line.
struct LabelsStage: Stage {
    /// Labels and the names of what they are set from, in the order of the file.
    private let sources: [LabelSource]

    init(_ options: StageOptions, _: inout StageContext) throws(ConfigurationError) {
        sources = try LabelSource.read(options)
    }

    mutating func process(_ entry: inout StageEntry, _: inout StageRun) -> Bool {
        for source in sources {
            if let text = entry.extracted[source.source]?.text { entry.labels[source.label] = text }
        }
        return true
    }
}

/// An entry of `labels` or `structured_metadata`: a name, and what its value comes from.
struct LabelSource: Sendable, Hashable {
    var label: String
    var source: String

    /// Reads `label: source`; without a source the label's own name counts.
    static func read(_ options: StageOptions) throws(ConfigurationError) -> [LabelSource] {
        let pairs = try options.node.pairs
        guard !pairs.isEmpty else { throw options.key.error("\(options.stage) is empty: name at least one label") }
        var sources: [LabelSource] = []
        for (key, value) in pairs {
            let label = try GoText.labelName(key)
            let source = try value.string
            sources.append(LabelSource(label: label, source: source.isEmpty ? label : source))
        }
        return sources
    }
}
