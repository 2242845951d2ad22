import Settings
import Telemetry

/// `labeldrop`: takes labels away.
struct LabelDropStage: Stage {
    private let names: Set<String>

    init(_ options: StageOptions, _: inout StageContext) throws(ConfigurationError) {
        names = Set(try options.node.strings)
        guard !names.isEmpty else { throw options.key.error("labeldrop is empty: name at least one label") }
    }

    mutating func process(_ entry: inout StageEntry, _: inout StageRun) -> Bool {
        entry.labels = entry.labels.dropping(names)
        return true
    }
}
