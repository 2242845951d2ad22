import Patterns
import Settings
import Telemetry

/// `drop`: leaves lines out that meet every one of its conditions.
struct DropStage: Stage {
    private let sources: [String]?
    private let separator: String
    private let expression: Pattern?
    /// The text that the sources must be.
    private let value: String?
    private let olderThan: Int64?
    private let longerThan: Int?
    private let reason: String
    private var metrics: StageMetrics?

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(
            ["drop_counter_reason", "source", "value", "separator", "expression", "older_than", "longer_than"], &context)
        guard ["source", "expression", "older_than", "longer_than"].contains(where: { fields[$0] != nil }) else {
            throw fields.place.error("drop needs at least one of source, expression, older_than and longer_than")
        }
        if let node = fields["source"] {
            if case .list = node.content { sources = try node.strings } else { sources = [try node.string] }
        } else {
            sources = nil
        }
        value = try fields.string("value")
        if value != nil, sources == nil { throw fields.place.error("drop needs source where value is given") }
        if value != nil, let node = fields["expression"] { throw node.error("value and expression cannot both be given") }
        expression = try fields["expression"].map { node throws(ConfigurationError) in try GoText.pattern(node) }
        separator = try fields.string("separator") ?? ";"
        olderThan = try fields["older_than"].map { node throws(ConfigurationError) in try node.goDuration.milliseconds * 1_000_000 }
        longerThan = try fields["longer_than"].map { node throws(ConfigurationError) in try node.goByteCount }
        let reason = try fields.string("drop_counter_reason") ?? ""
        self.reason = reason.isEmpty ? "drop_stage" : reason
    }

    mutating func bind(_ environment: StageEnvironment) { metrics = environment.metrics }

    mutating func process(_ entry: inout StageEntry, _ run: inout StageRun) -> Bool {
        guard drops(entry, now: run.now) else { return true }
        metrics?.dropped(reason: reason)
        return false
    }

    private func drops(_ entry: StageEntry, now: Int64) -> Bool {
        if let longerThan, entry.line.utf8.count <= longerThan { return false }
        if let olderThan, entry.timestamp >= now &- olderThan { return false }
        guard let sources else { return expression?.matchesPart(entry.line) ?? true }
        guard value != nil || expression != nil else { return sources.allSatisfy { entry.extracted[$0] != nil } }
        var texts: [String] = []
        for source in sources {
            guard let found = entry.extracted[source] else { continue }
            guard let text = found.text else { return false }
            texts.append(text)
        }
        let text = texts.joined(separator: separator)
        if let value { return text == value }
        return expression?.matchesPart(text) ?? false
    }
}
