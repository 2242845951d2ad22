import LogQL
import PromQL
import Query
package import Settings
import Telemetry

/// A rule file of Prometheus (model/rulefmt).
package struct RuleFile: Sendable {
    package var groups: [RuleGroup]
    package var warnings: [ConfigurationWarning]

    /// Everything that is wrong with a rule file.
    package struct LoadError: Error, Sendable, CustomStringConvertible {
        package var errors: [ConfigurationError]

        package var description: String { errors.map(\.description).joined(separator: "\n") }
    }

    /// Reads a rule file.
    ///
    /// - Throws: every error in it, each with its place.
    package static func load(
        path: String, names: NameValidation = .utf8, language: RuleLanguage = .promql
    ) throws(LoadError) -> RuleFile {
        let text: String
        do throws(ConfigurationError) {
            text = try ConfigurationFile.text(path: path)
        } catch {
            throw LoadError(errors: [error])
        }
        return try parse(text, file: path, names: names, language: language)
    }

    /// Parses the text of a rule file.
    ///
    /// - Parameter language: of the groups whose `type` does not say.
    package static func parse(
        _ text: String, file: String, names: NameValidation = .utf8, language: RuleLanguage = .promql
    ) throws(LoadError) -> RuleFile {
        let document: ConfigurationDocument
        do throws(ConfigurationError) {
            document = try ConfigurationNode.parseDocument(text, file: file)
        } catch {
            throw LoadError(errors: [error])
        }
        var reader = RuleFileReader(names: names, language: language)
        let groups = reader.groups(document.root)
        guard reader.errors.isEmpty else { throw LoadError(errors: reader.errors) }
        var warnings: [ConfigurationWarning] = []
        if document.hasMoreDocuments {
            warnings.append(
                document.root.warning("the file has more than one YAML document: only the first one is used"))
        }
        return RuleFile(groups: groups, warnings: warnings)
    }
}

/// Reads groups and rules, and collects what is wrong with them.
private struct RuleFileReader {
    let names: NameValidation
    let language: RuleLanguage
    private(set) var errors: [ConfigurationError] = []

    init(names: NameValidation, language: RuleLanguage) {
        self.names = names
        self.language = language
    }

    mutating func groups(_ root: ConfigurationNode) -> [RuleGroup] {
        let mapping = root.mapping(["groups"], errors: &errors)
        var groups: [RuleGroup] = []
        var seen: Set<String> = []
        for node in collect({ () throws(ConfigurationError) in try mapping["groups"]?.list ?? [] }) ?? [] {
            guard let group = group(node) else { continue }
            if !group.name.isEmpty, !seen.insert(group.name).inserted {
                errors.append(node.error("groupname: \(group.name.debugDescription) is repeated in the same file"))
            }
            groups.append(group)
        }
        return groups
    }

    private mutating func group(_ node: ConfigurationNode) -> RuleGroup? {
        let mapping = node.mapping(["name", "interval", "query_offset", "limit", "rules", "labels", "type"], errors: &errors)
        guard !mapping.pairs.isEmpty else {
            if case .null = node.content { errors.append(node.error("a group must not be empty")) }
            return nil
        }
        var group = RuleGroup(name: "", file: node.file)
        group.name = collect { () throws(ConfigurationError) in try mapping["name"]?.string ?? "" } ?? ""
        if group.name.isEmpty { errors.append(node.error("Groupname must not be empty")) }
        group.interval = collect { () throws(ConfigurationError) in try mapping["interval"]?.duration } ?? nil
        if group.interval == .zero { group.interval = nil }
        group.queryOffset = collect { () throws(ConfigurationError) in try mapping["query_offset"]?.duration } ?? nil
        group.limit = collect { () throws(ConfigurationError) in try mapping["limit"]?.int ?? 0 } ?? 0
        group.labels = labels(mapping["labels"], what: "label")
        let type = collect { () throws(ConfigurationError) in try mapping["type"]?.choice(RuleLanguage.names) } ?? nil
        group.language = type.map { RuleLanguage(name: $0) } ?? language
        for ruleNode in collect({ () throws(ConfigurationError) in try mapping["rules"]?.list ?? [] }) ?? [] {
            if let rule = rule(ruleNode, in: group) { group.rules.append(rule) }
        }
        return group
    }

    private mutating func rule(_ node: ConfigurationNode, in group: RuleGroup) -> Rule? {
        let keys = ["record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"]
        let mapping = node.mapping(keys, errors: &errors)
        let record = collect { () throws(ConfigurationError) in try mapping["record"]?.string ?? "" } ?? ""
        let alert = collect { () throws(ConfigurationError) in try mapping["alert"]?.string ?? "" } ?? ""
        let expression = collect { () throws(ConfigurationError) in try mapping["expr"]?.string ?? "" } ?? ""
        var rule = Rule(
            kind: record.isEmpty ? .alerting : .recording, name: record.isEmpty ? alert : record, expression: expression
        )
        if !record.isEmpty, !alert.isEmpty {
            errors.append((mapping.key("alert") ?? node).error("only one of 'record' and 'alert' must be set"))
        }
        if record.isEmpty, alert.isEmpty {
            errors.append(
                (mapping.key("record") ?? mapping.key("alert") ?? node).error("one of 'record' or 'alert' must be set"))
        }
        rule.language = group.language
        check(expression, group.language, at: mapping["expr"], in: node)
        rule.holdDuration = collect { () throws(ConfigurationError) in try mapping["for"]?.duration ?? .zero } ?? .zero
        rule.keepFiringFor =
            collect { () throws(ConfigurationError) in try mapping["keep_firing_for"]?.duration ?? .zero } ?? .zero
        let own = labels(mapping["labels"], what: "label")
        rule.labels = Labels(group.labels.pairs + own.pairs)
        rule.annotations = labels(mapping["annotations"], what: "annotation")
        if rule.kind == .recording {
            checkRecording(rule, mapping)
        } else {
            for (section, what) in [("labels", "label"), ("annotations", "annotation")] {
                checkTemplates(mapping[section], what, of: rule)
            }
        }
        return rule
    }

    private mutating func checkRecording(_ rule: Rule, _ mapping: ConfigurationMapping) {
        for (key, isSet) in [
            ("annotations", !rule.annotations.isEmpty), ("for", rule.holdDuration != .zero),
            ("keep_firing_for", rule.keepFiringFor != .zero),
        ] where isSet {
            errors.append((mapping.key(key) ?? mapping.node).error("invalid field '\(key)' in recording rule"))
        }
        // A legal name under UTF-8 rules, but nobody means it: somebody put a selector here.
        if !names.allowsMetric(rule.name) || rule.name.contains(where: { "{}".contains($0) }) {
            errors.append((mapping["record"] ?? mapping.node).error("invalid recording rule name: \(rule.name)"))
        }
    }

    private mutating func check(
        _ expression: String, _ language: RuleLanguage, at place: ConfigurationNode?, in rule: ConfigurationNode
    ) {
        guard let place, !expression.isEmpty else {
            errors.append((place ?? rule).error("field 'expr' must be set in rule"))
            return
        }
        do throws(QueryError) {
            switch language {
            case .promql: _ = try PromQLParser.parse(expression)
            case .logql:
                guard case .metric = try LogQLParser.parse(expression) else {
                    throw QueryError(.parse, "a rule needs a metric query, such as sum(rate({…}[5m])), not a query for lines")
                }
            }
        } catch {
            errors.append(place.error("could not parse expression: \(error)"))
        }
    }

    /// Templates are parsed now, so that a mistake shows at load and not in the night that the alert fires.
    private mutating func checkTemplates(_ node: ConfigurationNode?, _ what: String, of rule: Rule) {
        for (key, value) in pairs(node) {
            guard let name = try? key.string, let text = try? value.string else { continue }
            do throws(TemplateError) {
                _ = try Template(text, name: "__alert_" + rule.name)
            } catch {
                errors.append(value.error("\(what) \(name.debugDescription): \(error)"))
            }
        }
    }

    private mutating func labels(_ node: ConfigurationNode?, what: String) -> Labels {
        var labels: [Label] = []
        for (key, value) in pairs(node) {
            guard let name = collect({ () throws(ConfigurationError) in try key.string }),
                let text = collect({ () throws(ConfigurationError) in try value.string })
            else { continue }
            if !names.allowsLabel(name) || (what == "label" && name == Labels.metricName) {
                errors.append(key.error("invalid \(what) name: \(name)"))
            }
            labels.append(Label(name, text))
        }
        return Labels(labels)
    }

    private mutating func pairs(_ node: ConfigurationNode?) -> [(key: ConfigurationNode, value: ConfigurationNode)] {
        guard let node else { return [] }
        do throws(ConfigurationError) {
            return try node.pairs
        } catch {
            // Labels and annotations are walked twice: once is enough to say it.
            if !errors.contains(error) { errors.append(error) }
            return []
        }
    }

    private mutating func collect<Value>(_ body: () throws(ConfigurationError) -> Value) -> Value? {
        do throws(ConfigurationError) {
            return try body()
        } catch {
            errors.append(error)
            return nil
        }
    }
}
