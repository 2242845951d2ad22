import Settings

/// `output`: the line becomes something that was found in it.
struct OutputStage: Stage {
    private let source: String

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(["source"], &context)
        guard let source = try fields.source() else { throw fields.place.error("output source value is required") }
        self.source = source
    }

    mutating func process(_ entry: inout StageEntry, _: inout StageRun) -> Bool {
        if let text = entry.extracted[source]?.text { entry.line = text }
        return true
    }
}
