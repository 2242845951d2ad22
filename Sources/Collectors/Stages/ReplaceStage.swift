import Patterns
import Settings
import Templates

/// `replace`: every group that an expression matches becomes what a template makes of it.
struct ReplaceStage: Stage {
    private let expression: Pattern
    private let source: String?
    private let replacement: Template
    /// The replacement where it is plain text.
    private let literal: String?

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(["expression", "source", "replace"], &context)
        let node = try fields.required("expression")
        guard try !node.string.isEmpty else { throw node.error("expression is required") }
        expression = try GoText.pattern(node)
        source = try fields.source()
        replacement = try TemplateStage.template(fields["replace"] ?? node, text: try fields.string("replace") ?? "")
        literal = replacement.literal
        if expression.groupNames.isEmpty {
            context.warnings.append(node.warning("the expression has no group (…): nothing is replaced"))
        }
    }

    mutating func process(_ entry: inout StageEntry, _: inout StageRun) -> Bool {
        guard let text = entry.text(of: source) else { return true }
        let bytes = Array(text.utf8)
        let matches = RegexMatches.all(expression, in: bytes)
        guard let first = matches.first else { return true }
        var result: [UInt8] = []
        var end = 0
        var replaced: [String: String] = [:]
        for groups in matches {
            for case let range? in groups.dropFirst() {
                let captured = String(decoding: bytes[range], as: UTF8.self)
                guard let new = render(captured, entry) else { return true }
                // A group within one that has been replaced is gone already.
                if end == 0 || end <= range.lowerBound {
                    result += bytes[end..<range.lowerBound]
                    result += Array(new.utf8)
                    end = range.upperBound
                }
                replaced[captured] = new
            }
        }
        let line = String(decoding: result + bytes[end...], as: UTF8.self)
        if let source { entry.extracted[source] = .string(line) } else { entry.line = line }
        for (index, name) in expression.groupNames.enumerated() {
            guard let name else { continue }
            let captured = first[index + 1].map { String(decoding: bytes[$0], as: UTF8.self) } ?? ""
            if let new = replaced[captured] { entry.extracted[name] = .string(new) }
        }
        return true
    }

    /// nil: the template cannot be run on this line.
    private func render(_ captured: String, _ entry: StageEntry) -> String? {
        if let literal { return literal }
        return try? replacement.render(StageTemplateData(extracted: entry.extracted, value: captured, entry: nil))
    }
}

/// Every match of an expression (Go, `FindAllSubmatchIndex`).
enum RegexMatches {
    static func all(_ expression: Pattern, in bytes: [UInt8]) -> [[Range<Int>?]] {
        var (matches, position, lastEnd): ([[Range<Int>?]], Int, Int) = ([], 0, -1)
        while position <= bytes.count, let groups = expression.firstMatch(in: bytes.span, from: position), let match = groups[0] {
            // An empty match right behind another one is none.
            if !match.isEmpty || match.lowerBound != lastEnd { matches.append(groups) }
            lastEnd = match.upperBound
            if match.isEmpty {
                position = match.upperBound + 1
                while position < bytes.count, bytes[position] & 0xc0 == 0x80 { position += 1 }
            } else {
                position = match.upperBound
            }
        }
        return matches
    }
}
