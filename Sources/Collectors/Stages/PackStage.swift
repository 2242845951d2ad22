import Codecs
import Settings
import Telemetry

/// `pack`: puts labels into the line, as JSON that LogQL's `unpack` takes apart again.
struct PackStage: Stage {
    private let labels: [String]
    private let usesReadTime: Bool

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(["labels", "ingest_timestamp"], &context)
        labels = Set(try fields["labels"]?.strings ?? []).sorted { $0.utf8Precedes($1) }
        usesReadTime = try fields["ingest_timestamp"]?.bool ?? true
    }

    mutating func process(_ entry: inout StageEntry, _ run: inout StageRun) -> Bool {
        var json = JSONWriter()
        json.object { json in
            for name in labels {
                guard let text = entry.extracted[name]?.text else { continue }
                json.field(name, text)
                entry.labels[name] = nil
            }
            json.field("_entry", entry.line)
        }
        entry.line = json.text
        if usesReadTime { entry.timestamp = run.now }
        return true
    }
}
