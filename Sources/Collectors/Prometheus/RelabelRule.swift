import Crypto
import Patterns
package import Telemetry

/// One entry of `relabel_configs` or `metric_relabel_configs` (Prometheus, model/relabel).
package struct RelabelRule: Sendable {
    package enum Action: String, Sendable, CaseIterable {
        case replace, keep, drop, hashmod, labelmap, labeldrop, labelkeep, lowercase, uppercase, keepequal, dropequal
    }

    package var action: Action
    package var sourceLabels: [String]
    package var separator: String
    package var targetLabel: String
    package var replacement: String
    package var modulus: UInt64
    /// Which names its targets may have.
    package var validation = NameValidation.utf8
    /// The expression as written; ``expression`` is it, anchored at both ends.
    package let expressionText: String
    let expression: Pattern

    package static let defaultExpression = "(.*)"

    package init(
        action: Action = .replace, sourceLabels: [String] = [], separator: String = ";", targetLabel: String = "",
        expression text: String = RelabelRule.defaultExpression, replacement: String = "$1", modulus: UInt64 = 0
    ) throws {
        self.action = action
        self.sourceLabels = sourceLabels
        self.separator = separator
        self.targetLabel = targetLabel
        self.replacement = replacement
        self.modulus = modulus
        expressionText = text
        expression = try Pattern("^(?:" + text + ")$", options: [.dotMatchesNewline])
    }

    /// Applies `rules` one after the other.
    ///
    /// - Returns: whether the target or sample stays.
    package static func apply(_ rules: [RelabelRule], to labels: inout Labels) -> Bool {
        for rule in rules where !rule.apply(to: &labels) { return false }
        return true
    }

    /// - Returns: whether the target or sample stays.
    package func apply(to labels: inout Labels) -> Bool {
        switch action {
        case .drop: return !expression.matchesPart(source(labels))
        case .keep: return expression.matchesPart(source(labels))
        case .dropequal: return source(labels) != labels[targetLabel] ?? ""
        case .keepequal: return source(labels) == labels[targetLabel] ?? ""
        case .replace:
            let value = source(labels)
            guard let groups = expression.firstMatch(in: value) else { return true }
            let target = expand(targetLabel, value, groups)
            guard validation.isLabelName(target) else { return true }
            labels[target] = expand(replacement, value, groups)
        case .lowercase: labels[targetLabel] = source(labels).lowercased()
        case .uppercase: labels[targetLabel] = source(labels).uppercased()
        case .hashmod: labels[targetLabel] = String(Self.hash(source(labels)) % max(1, modulus))
        case .labelmap:
            for label in labels.pairs {
                guard let groups = expression.firstMatch(in: label.name) else { continue }
                let target = expand(replacement, label.name, groups)
                if !target.isEmpty { labels[target] = label.value }
            }
        case .labeldrop: labels = Labels(sorted: labels.pairs.filter { !expression.matchesPart($0.name) })
        case .labelkeep: labels = Labels(sorted: labels.pairs.filter { expression.matchesPart($0.name) })
        }
        return true
    }

    private func source(_ labels: Labels) -> String {
        if sourceLabels.count == 1 { return labels[sourceLabels[0]] ?? "" }
        return sourceLabels.map { labels[$0] ?? "" }.joined(separator: separator)
    }

    /// The last 8 bytes of the MD5, big-endian: the number that Prometheus takes the modulus of.
    static func hash(_ text: String) -> UInt64 {
        Insecure.MD5.hash(data: Array(text.utf8)).suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func expand(_ template: String, _ value: String, _ groups: [Range<Int>?]) -> String {
        guard template.utf8.contains(UInt8(ascii: "$")) else { return template }
        return GroupTemplate(template).expand(value, groups, expression.groupNames)
    }
}

extension RelabelRule: Hashable {
    package static func == (left: RelabelRule, right: RelabelRule) -> Bool {
        left.action == right.action && left.sourceLabels == right.sourceLabels && left.separator == right.separator
            && left.targetLabel == right.targetLabel && left.replacement == right.replacement
            && left.modulus == right.modulus
            && left.expressionText == right.expressionText && left.validation == right.validation
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(action)
        hasher.combine(sourceLabels)
        hasher.combine(targetLabel)
        hasher.combine(expressionText)
        hasher.combine(replacement)
    }
}
