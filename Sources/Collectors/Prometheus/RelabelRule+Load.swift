import Patterns
import Settings
import Telemetry

extension RelabelRule {
    private static let keys = [
        "source_labels", "separator", "regex", "modulus", "target_label", "replacement", "action",
    ]

    /// Reads an entry of `relabel_configs`; refuses what Prometheus refuses (model/relabel, `Validate`).
    init(_ node: ConfigurationNode) throws(ConfigurationError) {
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
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw (expressionNode ?? node).error("\(error)")
        }
    }
}
