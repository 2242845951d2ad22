import Settings
import Telemetry

/// `structured_metadata`: structured metadata from what was found in a line, or from its labels, which then go.
struct StructuredMetadataStage: Stage {
    private let sources: [LabelSource]

    init(_ options: StageOptions, _: inout StageContext) throws(ConfigurationError) {
        sources = try LabelSource.read(options)
    }

    mutating func process(_ entry: inout StageEntry, _: inout StageRun) -> Bool {
        for source in sources {
            guard let value = entry.extracted[source.source]?.text ?? entry.labels[source.source] else { continue }
            entry.metadata[source.label] = value
        }
        for source in sources where entry.labels[source.source] != nil {
            // A label goes where its own value was taken, not where a stage had found another under its name.
            let value = entry.extracted[source.source]?.text ?? entry.labels[source.source]
            if entry.labels[source.source] == value { entry.labels[source.source] = nil }
        }
        return true
    }
}
