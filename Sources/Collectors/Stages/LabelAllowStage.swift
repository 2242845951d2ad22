import Settings
import Telemetry

/// `labelallow`: keeps these labels and no others.
struct LabelAllowStage: Stage {
    private let names: Set<String>

    init(_ options: StageOptions, _: inout StageContext) throws(ConfigurationError) {
        names = Set(try options.node.strings)
        guard !names.isEmpty else { throw options.key.error("labelallow is empty: name at least one label") }
    }

    mutating func process(_ entry: inout StageEntry, _: inout StageRun) -> Bool {
        entry.labels = entry.labels.keeping(names)
        return true
    }
}
