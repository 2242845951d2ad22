import Settings
import Templates

/// `template`: something found in a line becomes what a Go template makes of it.
struct TemplateStage: Stage {
    private let source: String
    private let template: Template

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(["source", "template"], &context)
        guard let source = try fields.source() else { throw fields.place.error("template source value is required") }
        self.source = source
        template = try Self.template(fields["template"] ?? fields.place, text: try fields.string("template") ?? "")
    }

    static func template(_ node: ConfigurationNode, text: String) throws(ConfigurationError) -> Template {
        do throws(Template.Fault) {
            return try Template(text, functions: .promtail)
        } catch {
            throw node.error("the template \(text.debugDescription) cannot be read: \(error.description)")
        }
    }

    mutating func process(_ entry: inout StageEntry, _: inout StageRun) -> Bool {
        let data = StageTemplateData(extracted: entry.extracted, value: entry.extracted[source]?.text, entry: entry.line)
        guard let text = try? template.render(data) else { return true }
        entry.extracted[source] = text.isEmpty ? nil : .string(text)
        return true
    }
}

/// What the templates of stages see: everything found in a line as text, `.Value`, and `.Entry`, the line.
struct StageTemplateData: TemplateData {
    var extracted: ExtractedValues
    /// The text of the stage's source; nil where it has none.
    var value: String?
    /// The line; nil where templates do not see it.
    var entry: String?

    func value(_ name: String) -> TemplateValue {
        if name == "Value", let value { return .string(value) }
        if name == "Entry", let entry { return .string(entry) }
        return extracted[name]?.text.map { .string($0) } ?? .none
    }

    var all: [String: TemplateValue] {
        var result: [String: TemplateValue] = [:]
        for (name, value) in extracted.all {
            if let text = value.text { result[name] = .string(text) }
        }
        if let value { result["Value"] = .string(value) }
        if let entry { result["Entry"] = .string(entry) }
        return result
    }
}
