import Glibc
import Yams

/// A YAML file that has been read.
package struct ConfigurationDocument: Sendable {
    package var root: ConfigurationNode
    /// Whether more documents follow the first one, which alone counts.
    package var hasMoreDocuments: Bool
}

extension ConfigurationNode {
    /// Reads a YAML file.
    ///
    /// - Throws: what the operating system says, or the place where the text is no YAML.
    package static func load(path: String) throws(ConfigurationError) -> ConfigurationNode {
        try document(path: path).root
    }

    /// Parses YAML; only the first document of `text` counts.
    ///
    /// - Parameter file: how errors call it.
    package static func parse(_ text: String, file: String) throws(ConfigurationError) -> ConfigurationNode {
        try parseDocument(text, file: file).root
    }

    package static func document(path: String) throws(ConfigurationError) -> ConfigurationDocument {
        try parseDocument(try ConfigurationFile.text(path: path), file: path)
    }

    package static func parseDocument(_ text: String, file: String) throws(ConfigurationError) -> ConfigurationDocument
    {
        do {
            let parser = try Parser(yaml: text)
            guard let root = try parser.nextRoot() else {
                return ConfigurationDocument(
                    root: ConfigurationNode(content: .null, file: file, line: 1, column: 1, path: ""),
                    hasMoreDocuments: false)
            }
            // A broken second document is no concern of ours.
            let more = (try? parser.nextRoot()) != nil
            var tree = Tree(file: file)
            return ConfigurationDocument(root: try tree.node(root, path: "", depth: 0), hasMoreDocuments: more)
        } catch let error as ConfigurationError {
            throw error
        } catch let error as YamlError {
            throw ConfigurationError(error, file: file)
        } catch {
            throw ConfigurationError(file: file, message: "\(error)")
        }
    }
}

/// Turns Yams' nodes into ours. Aliases come as copies of what they name: the count of nodes is limited, so that a few lines
/// of aliases of aliases can't fill the memory.
private struct Tree {
    /// Far more than the largest rule files in use have.
    static let nodeCountMax = 200_000
    static let depthMax = 200

    let file: String
    var nodeCount = 0

    init(file: String) {
        self.file = file
    }

    mutating func node(_ node: Node, path: String, depth: Int) throws(ConfigurationError) -> ConfigurationNode {
        let (line, column) = (node.mark?.line ?? 1, node.mark?.column ?? 1)
        nodeCount += 1
        guard nodeCount <= Self.nodeCountMax, depth <= Self.depthMax else {
            let limit =
                depth > Self.depthMax
                ? "\(Self.depthMax) levels" : "\(Self.nodeCountMax) values (aliases count each time)"
            throw ConfigurationError(file: file, line: line, column: column, message: "the file has more than \(limit)")
        }
        let content: ConfigurationNode.Content
        switch node {
        case .scalar(let scalar):
            let isNull = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
            content = isNull ? .null : .scalar(scalar.string)
        case .sequence(let sequence):
            var items: [ConfigurationNode] = []
            for (index, item) in sequence.enumerated() {
                items.append(try self.node(item, path: "\(path)[\(index)]", depth: depth + 1))
            }
            content = .list(items)
        case .mapping(let mapping):
            content = .mapping(try pairs(mapping, path: path, depth: depth))
        case .alias:
            throw ConfigurationError(
                file: file, line: line, column: column, message: "found an alias that names nothing")
        }
        return ConfigurationNode(content: content, file: file, line: line, column: column, path: path)
    }

    private mutating func pairs(
        _ mapping: Node.Mapping, path: String, depth: Int
    ) throws(ConfigurationError) -> [(key: ConfigurationNode, value: ConfigurationNode)] {
        var pairs: [(key: ConfigurationNode, value: ConfigurationNode)] = []
        var merged: [Node.Mapping] = []
        for (key, value) in mapping {
            guard case .scalar(let name) = key else {
                let mark = key.mark
                throw ConfigurationError(
                    file: file, line: mark?.line ?? 1, column: mark?.column ?? 1, message: "a key must be a string")
            }
            if name.string == "<<", name.style == .plain {
                switch value {
                case .mapping(let source): merged.append(source)
                case .sequence(let sources): merged += sources.compactMap(\.mapping)
                case .scalar, .alias:
                    throw ConfigurationError(
                        file: file, line: value.mark?.line ?? 1, column: value.mark?.column ?? 1,
                        message: "a merge key (<<) needs a mapping or a list of mappings")
                }
                continue
            }
            let keyPath = path.isEmpty ? name.string : path + "." + name.string
            let keyNode = ConfigurationNode(
                content: .scalar(name.string), file: file, line: key.mark?.line ?? 1, column: key.mark?.column ?? 1,
                path: keyPath)
            pairs.append((keyNode, try node(value, path: keyPath, depth: depth + 1)))
        }
        // What the mapping itself says wins over what it merges; an earlier source wins over a later one (yaml.org/type/merge.html).
        var names = Set(pairs.compactMap { pair in if case .scalar(let name) = pair.key.content { name } else { nil } })
        for source in merged {
            for pair in try self.pairs(source, path: path, depth: depth + 1) {
                guard case .scalar(let name) = pair.key.content, names.insert(name).inserted else { continue }
                pairs.append(pair)
            }
        }
        return pairs
    }
}

extension ConfigurationError {
    /// What Yams says, with its place.
    fileprivate init(_ error: YamlError, file: String) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let text = context.map { "\($0.text) " } ?? ""
            self.init(file: file, line: mark.line, column: mark.column, message: "not valid YAML: \(text)\(problem)")
        case .reader(let problem, let offset, _, let text):
            let before = text.unicodeScalars.prefix(max(0, offset ?? 0))
            let line = before.reduce(1) { $1 == "\n" ? $0 + 1 : $0 }
            self.init(file: file, line: line, column: 1, message: "not valid YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let keys = duplicates.map(\.debugDescription).joined(separator: ", ")
            self.init(
                file: file, line: context.mark.line, column: context.mark.column,
                message: "the key \(keys) stands here more than once")
        default:
            self.init(file: file, message: "not valid YAML: \(error)")
        }
    }
}

/// Files of configuration as text.
package enum ConfigurationFile {
    /// No file that a person writes is larger.
    private static let byteCountMax = 64 << 20

    /// Reads a file of UTF-8.
    package static func text(path: String) throws(ConfigurationError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ConfigurationError(file: path, message: "cannot open the file: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw ConfigurationError(
                    file: path, message: "cannot read the file: \(String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            bytes += buffer[..<count]
            guard bytes.count <= byteCountMax else {
                throw ConfigurationError(file: path, message: "the file is larger than \(byteCountMax) bytes")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError(file: path, message: "the file is not valid UTF-8")
        }
        return text
    }
}
