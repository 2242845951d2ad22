import Settings
import Telemetry

extension RuleGroup {
    /// The group as rule files have it, each line behind `indent`; texts stand in double quotes, which YAML reads as JSON does.
    package func yaml(indent: String = "") -> String {
        var lines = ["name: \(name.inYAMLQuotes)"]
        if let interval { lines.append("interval: \(DurationText.format(interval))") }
        if let queryOffset, queryOffset != .zero { lines.append("query_offset: \(DurationText.format(queryOffset))") }
        if limit != 0 { lines.append("limit: \(limit)") }
        lines.append(rules.isEmpty ? "rules: []" : "rules:")
        for rule in rules {
            for (index, line) in rule.yamlLines.enumerated() { lines.append((index == 0 ? "    - " : "      ") + line) }
        }
        return lines.map { indent + $0 + "\n" }.joined()
    }

    /// A file of groups.
    package static func yaml(_ groups: [RuleGroup]) -> String {
        "groups:\n" + groups.map { $0.listItemYAML(indent: "") }.joined()
    }

    /// The group as an item of a list.
    package func listItemYAML(indent: String) -> String {
        let text = yaml(indent: indent + "  ")
        return indent + "- " + text.dropFirst(indent.count + 2)
    }

    /// A name as a key of YAML.
    package static func quotedName(_ name: String) -> String { name.inYAMLQuotes }
}

extension Rule {
    fileprivate var yamlLines: [String] {
        var lines = [(kind == .alerting ? "alert: " : "record: ") + name.inYAMLQuotes, "expr: \(expression.inYAMLQuotes)"]
        if holdDuration != .zero { lines.append("for: \(DurationText.format(holdDuration))") }
        if keepFiringFor != .zero { lines.append("keep_firing_for: \(DurationText.format(keepFiringFor))") }
        for (key, labels) in [("labels", labels), ("annotations", annotations)] where !labels.isEmpty {
            lines.append("\(key):")
            for pair in labels.pairs { lines.append("    \(pair.name.inYAMLQuotes): \(pair.value.inYAMLQuotes)") }
        }
        return lines
    }
}

extension RuleFile {
    /// Parses one group that stands alone, as Loki's and Mimir's ruler take it.
    ///
    /// - Throws: every error in it; lines count from the group's first.
    package static func parseGroup(_ text: String, file: String, language: RuleLanguage) throws(LoadError) -> RuleGroup {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        while let first = lines.first, first.hasPrefix("---") || first.allSatisfy(\.isWhitespace) { lines.removeFirst() }
        let list = lines.enumerated().map { ($0.offset == 0 ? "- " : "  ") + $0.element }.joined(separator: "\n")
        let parsed: RuleFile
        do throws(LoadError) {
            parsed = try parse("groups:\n\(list)\n", file: file, language: language)
        } catch {
            throw LoadError(
                errors: error.errors.map {
                    ConfigurationError(file: $0.file, line: max(0, $0.line - 1), column: max(0, $0.column - 2), message: $0.message)
                })
        }
        guard parsed.groups.count == 1 else {
            throw LoadError(errors: [ConfigurationError(file: file, message: "expected one rule group")])
        }
        return parsed.groups[0]
    }
}
