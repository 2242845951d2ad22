import Alerting
import Codecs
import Telemetry

/// Loki's ruler API (Loki, HTTP API, "Ruler"): rule groups as YAML, by namespace, which is the name of the file that they stand in. Groups can be
/// written where a folder is configured.
struct LokiRuleRoutes {
    /// Every group there is, of whatever language.
    let groups: @Sendable () -> [RuleGroupSnapshot]
    /// nil: rules cannot be written.
    let folder: RuleFolder?
    /// Makes the server read the rule files again.
    let reload: @Sendable () throws -> Void

    var routes: [Route] {
        ["/loki/api/v1/rules", "/api/prom/rules"].flatMap { path in
            [
                Route.get(path, scope: .query, errors: .loki) { _ in try list(nil) },
                Route.get("\(path)/{namespace}", scope: .query, errors: .loki) { try list($0.captures.first) },
                Route.get("\(path)/{namespace}/{group}", scope: .query, errors: .loki) { try one($0) },
                Route.post("\(path)/{namespace}", scope: .admin, errors: .loki) { try create($0) },
                Route([.delete], "\(path)/{namespace}", scope: .admin, errors: .loki) { try delete($0) },
                Route([.delete], "\(path)/{namespace}/{group}", scope: .admin, errors: .loki) { try delete($0) },
            ]
        }
    }

    private func byNamespace() -> [(namespace: String, groups: [RuleGroup])] {
        var result: [(namespace: String, groups: [RuleGroup])] = []
        for snapshot in groups() where snapshot.language == .logql {
            let namespace = snapshot.file.split(separator: "/").last.map(String.init) ?? snapshot.file
            if let index = result.firstIndex(where: { $0.namespace == namespace }) {
                result[index].groups.append(snapshot.group)
            } else {
                result.append((namespace, [snapshot.group]))
            }
        }
        return result
    }

    private func list(_ namespace: String?) throws -> Answer {
        let found = byNamespace().filter { namespace == nil || $0.namespace == namespace }
        guard !found.isEmpty else { throw APIError(.notFound, "no rule groups found") }
        let text = found.map { entry in
            RuleGroup.quotedName(entry.namespace) + ":\n" + entry.groups.map { $0.listItemYAML(indent: "    ") }.joined()
        }.joined()
        return Answer(contentType: "application/yaml", body: Array(text.utf8))
    }

    private func one(_ call: Call) throws -> Answer {
        let (namespace, name) = (call.captures.first ?? "", call.captures.last ?? "")
        guard let group = byNamespace().first(where: { $0.namespace == namespace })?.groups.first(where: { $0.name == name }) else {
            throw APIError(.notFound, "group does not exist")
        }
        return Answer(contentType: "application/yaml", body: Array(group.yaml().utf8))
    }

    private func writable() throws(APIError) -> RuleFolder {
        guard let folder else {
            throw APIError(.badRequest, "rules cannot be written: name a folder for them in apus.yaml (log_rules: {folder: …})")
        }
        return folder
    }

    private func create(_ call: Call) throws -> Answer {
        let folder = try writable()
        let namespace = call.captures.first ?? ""
        let body = String(decoding: try call.decodedBody(), as: UTF8.self)
        let group: RuleGroup
        do throws(RuleFile.LoadError) {
            group = try RuleFile.parseGroup(body, file: namespace, language: .logql)
        } catch {
            throw APIError(.badRequest, error.description)
        }
        var groups = try folder.groups(in: namespace)
        if let index = groups.firstIndex(where: { $0.name == group.name }) { groups[index] = group } else { groups.append(group) }
        try folder.write(groups, to: namespace)
        return try accepted()
    }

    private func delete(_ call: Call) throws -> Answer {
        let folder = try writable()
        let namespace = call.captures.first ?? ""
        let groups = try folder.groups(in: namespace)
        guard !groups.isEmpty else { throw APIError(.notFound, "no rule groups found") }
        guard call.captures.count > 1, let name = call.captures.last else {
            try folder.write([], to: namespace)
            return try accepted()
        }
        guard groups.contains(where: { $0.name == name }) else { throw APIError(.notFound, "group does not exist") }
        try folder.write(groups.filter { $0.name != name }, to: namespace)
        return try accepted()
    }

    private func accepted() throws -> Answer {
        try reload()
        var json = JSONWriter()
        json.beginObject()
        json.field("status", "success")
        json.key("data")
        json.null()
        json.field("errorType", "")
        json.field("error", "")
        json.endObject()
        return .json(json.bytes, status: 202)
    }
}
