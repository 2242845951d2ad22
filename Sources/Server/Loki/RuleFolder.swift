import Alerting
import Foundation

/// The folder that Loki's API keeps rules in: a file a namespace, as its local storage has them.
struct RuleFolder: Sendable {
    let path: String

    /// The groups of a namespace; none where it has no file.
    func groups(in namespace: String) throws -> [RuleGroup] {
        let file = try file(namespace)
        guard FileManager.default.fileExists(atPath: file) else { return [] }
        return try RuleFile.load(path: file, language: .logql).groups
    }

    /// Replaces the groups of a namespace; none removes it.
    func write(_ groups: [RuleGroup], to namespace: String) throws {
        let file = try file(namespace)
        do {
            if groups.isEmpty {
                try FileManager.default.removeItem(atPath: file)
                return
            }
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try Data(RuleGroup.yaml(groups).utf8).write(to: URL(filePath: file), options: .atomic)
        } catch {
            throw APIError(.internal, "cannot write the rule file \(file): \(error.localizedDescription)")
        }
    }

    private func file(_ namespace: String) throws(APIError) -> String {
        // A name is one file in the folder and no other.
        guard !namespace.isEmpty, !namespace.hasPrefix("."), !namespace.contains(where: { $0 == "/" || $0 == "\0" }), namespace.utf8.count < 200
        else {
            throw APIError(.badRequest, "a rule namespace must be a file name: no slash, no dot at the beginning")
        }
        return path + "/" + namespace
    }
}
