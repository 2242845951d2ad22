import Patterns
import Settings
import Telemetry

extension RelabelRule {
    private static let keys = [
        "source_labels", "separator", "regex", "modulus", "target_label", "replacement", "action",
    ]

    /// Reads an entry of `relabel_configs`; refuses what Prometheus refuses (model/relabel, `Validate`).
    ///
    /// - Parameter validation: which label names are legal.
    init(_ node: ConfigurationNode, validation: NameValidation = .utf8) throws(ConfigurationError) {
        guard !node.isNull else { throw node.error("empty or null relabeling rule") }
        let mapping = try node.mapping(Self.keys)
        var action = Action.replace
        if let value = mapping["action"] {
            let name = try value.string.lowercased()
            guard let known = Action(rawValue: name) else {
                throw value.error(
                    "unknown relabel action \(name.debugDescription)"
                        + (NearestWord.of(name, among: Action.allCases.map(\.rawValue)).map {
                            "; did you mean \($0.debugDescription)?"
                        } ?? ""))
            }
            action = known
        }
        let target = try mapping["target_label"]?.string ?? ""
        let expressionNode = mapping["regex"]
        let expression = try expressionNode?.string ?? Self.defaultExpression
        // An empty replacement is a value of its own: it removes the label.
        let replacementNode = mapping.pairs.first {
            if case .scalar("replacement") = $0.key.content { true } else { false }
        }?.value
        let replacement = try replacementNode.map { node throws(ConfigurationError) in try node.string } ?? "$1"
        let separator =
            try mapping.pairs.first { if case .scalar("separator") = $0.key.content { true } else { false } }
            .map { pair throws(ConfigurationError) in try pair.value.string } ?? ";"
        var modulus = UInt64(0)
        if let value = mapping["modulus"] {
            let number = try value.int
            guard number >= 0 else { throw value.error("modulus must not be negative") }
            modulus = UInt64(number)
        }
        switch action {
        case .replace, .hashmod, .lowercase, .uppercase, .keepequal, .dropequal:
            guard !target.isEmpty else {
                throw node.error("relabel configuration for \(action.rawValue) action requires 'target_label' value")
            }
        case .keep, .drop, .labelmap, .labeldrop, .labelkeep: break
        }
        try Self.checkNames(mapping, action, target, replacement, validation)
        switch action {
        case .hashmod where modulus == 0:
            throw node.error("relabel configuration for hashmod requires non-zero modulus")
        case .labeldrop, .labelkeep:
            if let other = mapping.pairs.first(where: {
                (try? $0.key.string) != "regex" && (try? $0.key.string) != "action"
            }) {
                throw other.key.error("\(action.rawValue) action requires only 'regex', and no other fields")
            }
        case .keepequal, .dropequal:
            let allowed = ["source_labels", "target_label", "action"]
            if let other = mapping.pairs.first(where: { !allowed.contains((try? $0.key.string) ?? "") }) {
                throw other.key.error(
                    "\(action.rawValue) action requires only 'source_labels' and 'target_label', and no other fields")
            }
        default: break
        }
        do {
            try self.init(
                action: action, sourceLabels: try mapping["source_labels"]?.strings ?? [], separator: separator,
                targetLabel: target,
                expression: expression, replacement: replacement, modulus: modulus)
            self.validation = validation
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw (expressionNode ?? node).error("\(error)")
        }
    }

    /// Refuses names that no label may have, and replacements that would do nothing.
    private static func checkNames(
        _ mapping: ConfigurationMapping, _ action: Action, _ target: String, _ replacement: String, _ validation: NameValidation
    ) throws(ConfigurationError) {
        let targetNode = mapping["target_label"] ?? mapping.node
        switch action {
        case .lowercase, .uppercase, .keepequal, .dropequal, .hashmod:
            guard validation.isLabelName(target) else {
                throw targetNode.error("\(target.debugDescription) is invalid 'target_label' for \(action.rawValue) action")
            }
        case .replace:
            guard isLabelTemplate(target, validation) else {
                throw targetNode.error("\(target.debugDescription) is invalid 'target_label' for \(action.rawValue) action")
            }
        case .labelmap:
            guard isLabelTemplate(replacement, validation) else {
                throw (mapping["replacement"] ?? mapping.node).error(
                    "\(replacement.debugDescription) is invalid 'replacement' for \(action.rawValue) action")
            }
        case .keep, .drop, .labeldrop, .labelkeep: break
        }
        if action == .lowercase || action == .uppercase, replacement != "$1" {
            throw (mapping["replacement"] ?? mapping.node).error("'replacement' can not be set for \(action.rawValue) action")
        }
    }

    /// Whether `text` may become a label's name once its groups are filled in (model/relabel, `relabelTargetLegacy`).
    private static func isLabelTemplate(_ text: String, _ validation: NameValidation) -> Bool {
        guard validation == .legacy else { return !text.isEmpty }
        let withoutGroups = text.replacing("${", with: "_").replacing("}", with: "_").replacing("$", with: "_")
        return withoutGroups.isLabelIdentifier
    }
}
