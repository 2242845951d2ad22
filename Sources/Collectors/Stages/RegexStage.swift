import Patterns
import Settings

/// `regex`: what the named groups of an expression match.
struct RegexStage: Stage {
    private let expression: Pattern
    private let source: String?

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(["expression", "source"], &context)
        let node = try fields.required("expression")
        guard try !node.string.isEmpty else { throw node.error("expression is required") }
        expression = try GoText.pattern(node)
        source = try fields.source()
        if !expression.groupNames.contains(where: { $0 != nil }) {
            context.warnings.append(node.warning("the expression has no named group such as (?P<level>…): nothing is extracted"))
        }
    }

    mutating func process(_ entry: inout StageEntry, _: inout StageRun) -> Bool {
        guard let text = entry.text(of: source) else { return true }
        let bytes = Array(text.utf8)
        guard let groups = expression.firstMatch(in: bytes.span) else { return true }
        for (index, name) in expression.groupNames.enumerated() {
            guard let name else { continue }
            // A group that took no part has found an empty text.
            entry.extracted[name] = .string(groups[index + 1].map { String(decoding: bytes[$0], as: UTF8.self) } ?? "")
        }
        return true
    }
}
